import Model

/// Reads a pack of one region from front to back through a buffer. Bytes that can't be read are as good as damaged.
struct RegionWindow: Sendable {
    /// How much is read ahead.
    private static let stride: UInt64 = 1 << 20

    /// The index of the region in its store.
    let index: Int
    /// The bytes of the pack that count.
    let size: UInt64
    /// The last failure to read.
    private(set) var failure: StorageError?

    private let region: any PackRegion
    private let pack: PackID
    private var start: UInt64 = 0
    private var buffer: [UInt8] = []

    init(index: Int, region: any PackRegion, pack: PackID, size: UInt64) {
        self.index = index
        self.region = region
        self.pack = pack
        self.size = size
    }

    /// The bytes of a range; fewer where the pack ends, none when they can't be read.
    mutating func bytes(_ range: Range<UInt64>) async -> ArraySlice<UInt8> {
        let range = range.clamped(to: 0..<size)
        if range.isEmpty { return [] }
        if range.lowerBound < start || range.upperBound > start + UInt64(buffer.count) {
            await fill(range)
        }
        guard range.lowerBound >= start else { return [] }
        let lower = min(buffer.count, Int(range.lowerBound - start))
        return buffer[lower..<min(buffer.count, Int(range.upperBound - start))]
    }

    private mutating func fill(_ range: Range<UInt64>) async {
        let ahead = range.lowerBound..<max(range.upperBound, min(size, range.lowerBound + Self.stride))
        start = range.lowerBound
        // A bad sector in what is read ahead must not cost the bytes that were asked for.
        for attempt in ahead == range ? [range] : [ahead, range] {
            do {
                buffer = try await region.read(pack, [attempt]).first ?? []
                return
            } catch {
                failure = StorageError(any: error, in: region)
            }
        }
        buffer = []
    }

    /// The header of the record at an offset; nil when there is none.
    mutating func header(at offset: UInt64) async -> RecordHeader? {
        let range = offset..<offset + UInt64(PackFormat.recordHeaderLength)
        let slice = await bytes(range)
        let header = slice.withUnsafeBytes { RecordHeader(decoding: $0, pack: pack, offset: offset) }
        guard let header, offset + header.frameLength <= size else { return nil }
        return header
    }

    /// The record at an offset with its header, verified; nil when there is none or it is damaged.
    mutating func frame(at offset: UInt64) async -> (header: RecordHeader, bytes: ArraySlice<UInt8>)? {
        guard let header = await header(at: offset) else { return nil }
        let frame = await bytes(offset..<offset + header.frameLength)
        let matches = frame.withUnsafeBytes {
            header.matches(UnsafeRawBufferPointer(rebasing: $0.dropFirst(PackFormat.recordHeaderLength)))
        }
        return matches && frame.count == Int(header.frameLength) ? (header, frame) : nil
    }

    /// The first offset from a given one, and before another, where a header of this pack lies.
    mutating func nextHeader(from first: UInt64, before end: UInt64) async -> UInt64? {
        var offset = first
        let end = min(end, size)
        while offset < end {
            let chunk = await bytes(offset..<min(end, offset + Self.stride))
            // A bad sector is passed over in small steps, so that little behind it is missed.
            if chunk.isEmpty {
                guard failure?.code == .io else { return nil }
                offset += 4096
                continue
            }
            for (place, byte) in chunk.enumerated() where byte == 0x43 {
                let candidate = offset + UInt64(place)
                if await header(at: candidate) != nil { return candidate }
            }
            offset += UInt64(chunk.count)
        }
        return nil
    }
}
