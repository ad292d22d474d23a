import Model

/// Goes through a pack record by record, taking each from the first region that has it intact.
struct PackWalk: Sendable {
    /// A whole record.
    struct Frame: Sendable {
        let offset: UInt64
        let header: RecordHeader
        /// The header and the payload.
        let bytes: ArraySlice<UInt8>
        /// The regions that have not got it intact.
        let damagedIn: [Int]

        var end: UInt64 { offset + header.frameLength }
        var payload: [UInt8] { Array(bytes.dropFirst(PackFormat.recordHeaderLength)) }
    }

    /// What comes next in the pack.
    enum Piece: Sendable {
        case frame(Frame)
        /// Bytes that are a record in no region.
        case gap(Range<UInt64>)
    }

    /// Where the pack ends: the end of the longest region.
    let end: UInt64
    private var windows: [RegionWindow]
    private var position = UInt64(PackFormat.packHeaderLength)
    /// Whether every region is read, or only as many as it takes to have each record once.
    private let comparesAll: Bool

    init(windows: [RegionWindow], comparesAll: Bool = true) {
        self.windows = windows
        self.comparesAll = comparesAll
        end = windows.map(\.size).max() ?? 0
    }

    /// The failures to read that were met so far, by region.
    var failures: [Int: StorageError] {
        Dictionary(windows.compactMap { window in window.failure.map { (window.index, $0) } }) { first, _ in first }
    }

    /// The next piece; nil at the end.
    mutating func next() async -> Piece? {
        guard position < end else { return nil }
        if let frame = await frame() {
            position = frame.end
            return .frame(frame)
        }
        let start = position
        position = await endOfGap()
        return .gap(start..<position)
    }

    /// The bytes of a range as they lie in the first region that gives any; zeros for those that can't be read.
    mutating func raw(_ range: Range<UInt64>) async -> ArraySlice<UInt8> {
        for place in windows.indices {
            let bytes = await windows[place].bytes(range)
            if !bytes.isEmpty { return bytes + [UInt8](repeating: 0, count: range.count - bytes.count) }
        }
        return [UInt8](repeating: 0, count: range.count)[...]
    }

    private mutating func frame() async -> Frame? {
        var found: (header: RecordHeader, bytes: ArraySlice<UInt8>)?
        var damaged: [Int] = []
        for place in windows.indices where comparesAll || found == nil {
            guard let frame = await windows[place].frame(at: position) else {
                damaged.append(windows[place].index)
                continue
            }
            // The first region decides; one that differs is made equal to it.
            if let found, found.header != frame.header {
                damaged.append(windows[place].index)
            } else if found == nil {
                found = frame
            }
        }
        return found.map { Frame(offset: position, header: $0.header, bytes: $0.bytes, damagedIn: damaged) }
    }

    /// Where a damaged record ends: by its header if any region has that, else at the next header of any region.
    private mutating func endOfGap() async -> UInt64 {
        for place in windows.indices {
            if let header = await windows[place].header(at: position) { return position + header.frameLength }
        }
        var nearest = end
        for place in windows.indices {
            nearest = await windows[place].nextHeader(from: position + 1, before: nearest) ?? nearest
        }
        return nearest
    }
}
