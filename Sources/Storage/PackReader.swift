import Model

/// Reads records of one pack in one region, in about the order in which they lie, and changes nothing.
///
/// It trusts nothing that it finds: a record is looked for where its location says, and is told as it lies there.
public struct PackReader: Sendable {
    private var window: RegionWindow

    /// Reads a pack of a region up to the size that is known of it.
    public init(region: any PackRegion, pack: PackSummary) {
        window = RegionWindow(index: 0, region: region, pack: pack.pack, size: pack.size)
    }

    /// Why bytes could not be read, the last time that happened; nil when it never did.
    public var failure: StorageError? { window.failure }

    /// What lies at the place of a record, with its header, not verified; nil when the pack ends before, when the bytes
    /// can't be read, and when no record can lie there.
    public mutating func frame(at location: PackLocation) async -> RecordFrame? {
        guard let range = location.frame else { return nil }
        let bytes = await window.bytes(range)
        return bytes.count == range.count ? RecordFrame(location: location, bytes: bytes) : nil
    }

    /// The bytes of a range as they lie there; fewer where the pack ends, none when they can't be read.
    public mutating func bytes(_ range: Range<UInt64>) async -> ArraySlice<UInt8> { await window.bytes(range) }
}

/// A record with its header, as it lies in one region.
public struct RecordFrame: Sendable {
    /// Where the payload lies.
    public let location: PackLocation
    /// The header and the payload.
    public let bytes: ArraySlice<UInt8>

    /// Where the header begins.
    public var offset: UInt64 { location.offset - UInt64(PackFormat.recordHeaderLength) }

    /// Whether these are the bytes that were written for this place. O(bytes).
    public var isIntact: Bool {
        bytes.withUnsafeBytes { raw in
            guard let header = RecordHeader(decoding: raw, pack: location.pack, offset: offset),
                header.kind == .record
            else { return false }
            return header.matches(UnsafeRawBufferPointer(rebasing: raw.dropFirst(PackFormat.recordHeaderLength)))
        }
    }

    /// Calls `body` with the payload.
    /// - Throws: what `body` throws.
    public func withPayload<Answer>(_ body: (UnsafeRawBufferPointer) throws -> Answer) rethrows -> Answer {
        try bytes.withUnsafeBytes { raw in
            try body(UnsafeRawBufferPointer(rebasing: raw.dropFirst(PackFormat.recordHeaderLength)))
        }
    }
}

extension PackLocation {
    /// Where the first record of every pack begins, with its header.
    public static let firstFrame = UInt64(PackFormat.packHeaderLength)

    /// The bytes of the record with its header; nil when no record can lie there.
    public var frame: Range<UInt64>? { PackFormat.frame(of: self) }
}
