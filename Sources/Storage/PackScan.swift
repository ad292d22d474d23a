public import Model

/// Goes through a pack of several regions record by record, taking each from the first one that has it intact, and
/// changes nothing.
public struct PackScan: Sendable {
    /// What comes next in a pack.
    public enum Piece: Sendable {
        /// A whole record; nil for a filler, which means nothing. `bytes` are those of the pack, header included.
        case frame(PackRecord?, bytes: ArraySlice<UInt8>, damagedIn: [Int])
        /// Bytes that are a record in no region.
        case gap(PackRecord, Range<UInt64>)
    }

    private let pack: PackID
    private var walk: PackWalk

    /// Begins before the first record.
    /// - Parameters:
    ///   - pack: The pack.
    ///   - regions: Where it lies, with the size that it has there, those first that decide where regions differ. In
    ///     what is answered a region is its place in this list.
    public init(_ pack: PackID, in regions: [(region: any PackRegion, size: UInt64)]) {
        self.pack = pack
        walk = PackWalk(
            windows: regions.enumerated().map { index, place in
                RegionWindow(index: index, region: place.region, pack: pack, size: place.size)
            })
    }

    /// The size of the longest one.
    public var size: UInt64 { walk.end }

    /// The failures to read that were met so far.
    public var failures: [Int: StorageError] { walk.failures }

    /// The next piece; nil at the end.
    public mutating func next() async -> Piece? {
        switch await walk.next() {
        case nil: return nil
        case .gap(let range):
            let header = min(UInt64(PackFormat.recordHeaderLength), range.upperBound - range.lowerBound)
            let location = PackLocation(
                pack: pack, offset: range.lowerBound + header,
                length: UInt32(clamping: range.upperBound - range.lowerBound - header))
            return .gap(PackRecord(location: location, state: .corrupt), range)
        case .frame(let frame):
            let location = PackLocation(
                pack: pack, offset: frame.offset + UInt64(PackFormat.recordHeaderLength), length: frame.header.length)
            let record =
                frame.header.kind == .filler ? nil : PackRecord(location: location, state: .intact(frame.payload))
            return .frame(record, bytes: frame.bytes, damagedIn: frame.damagedIn)
        }
    }
}
