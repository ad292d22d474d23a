public import Model

/// Reads one pack of several regions from front to back, each record from the first region that has it as it was written.
///
/// What no region has like that is told, and comes as it lies in the first one that gives any bytes of it.
public struct PackMerge: Sendable {
    /// Some bytes of the pack.
    public struct Piece: Sendable {
        /// Where they lie.
        public let range: Range<UInt64>
        /// The bytes, as many as the range is long; zeros where none could be read.
        public let bytes: ArraySlice<UInt8>
        /// Whether they are what was written there.
        public let isIntact: Bool
    }

    /// How much of what is damaged is told at once.
    private static let step: UInt64 = 1 << 20

    private let pack: PackID
    private var walk: PackWalk
    private var hasBegun = false
    /// What is damaged and was not told yet.
    private var gap: Range<UInt64> = 0..<0

    /// Reads a pack.
    /// - Parameters:
    ///   - pack: The pack.
    ///   - size: How many of its bytes count, which has to be where a record ends.
    ///   - regions: Where it lies, the best first, each with how long it is there.
    public init(pack: PackID, upTo size: UInt64, of regions: [(region: any PackRegion, size: UInt64)]) {
        self.pack = pack
        walk = PackWalk(
            windows: regions.enumerated().map { index, copy in
                RegionWindow(index: index, region: copy.region, pack: pack, size: min(size, copy.size))
            }, comparesAll: false)
    }

    /// Why bytes could not be read, by the place of the region, the last time that happened.
    public var failures: [Int: StorageError] { walk.failures }

    /// What comes next; nil at the end of the longest copy.
    public mutating func next() async -> Piece? {
        if !hasBegun {
            hasBegun = true
            if walk.end < UInt64(PackFormat.packHeaderLength) { return nil }
            // It says nothing but what pack it is.
            let header = PackFormat.packHeader(pack)
            return Piece(range: 0..<UInt64(header.count), bytes: header[...], isIntact: true)
        }
        if gap.isEmpty {
            switch await walk.next() {
            case .frame(let frame):
                return Piece(range: frame.offset..<frame.end, bytes: frame.bytes, isIntact: true)
            case .gap(let range): gap = range
            case nil: return nil
            }
        }
        let range = gap.lowerBound..<min(gap.upperBound, gap.lowerBound + Self.step)
        gap = range.upperBound..<gap.upperBound
        return Piece(range: range, bytes: await walk.raw(range), isIntact: false)
    }
}
