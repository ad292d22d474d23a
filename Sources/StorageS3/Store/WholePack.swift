import Model
import Storage

/// A whole pack put together in memory, each record from the first region that has it intact.
struct WholePack: Sendable {
    /// All of it.
    private(set) var bytes: [UInt8]
    /// The regions, as places in the list that was read from, which have not got the same bytes.
    private(set) var differing: Set<Int> = []
    /// Bytes that are a record in no region.
    private(set) var damage: [Range<UInt64>] = []
    /// The regions that could not be read.
    private(set) var failures: [Int: StorageError] = [:]

    /// Reads it. O(bytes).
    /// - Parameters:
    ///   - pack: The pack.
    ///   - places: Where it lies, with the sizes there, those first that decide where regions differ.
    init(reading pack: PackID, from places: [(region: S3PackRegion, size: UInt64)]) async {
        var scan = PackScan(pack, in: places.map { (region: $0.region, size: $0.size) })
        bytes = SealedPack.header(of: pack)
        bytes.reserveCapacity(Int(scan.size))
        while let piece = await scan.next() {
            switch piece {
            case .frame(_, let frame, let damagedIn):
                bytes += frame
                differing.formUnion(damagedIn)
            case .gap(_, let range):
                damage.append(range)
                bytes += await Self.remains(range, of: pack, in: places)
            }
        }
        failures = scan.failures
        for (index, place) in places.enumerated() {
            if place.size != UInt64(bytes.count) { differing.insert(index) }
            if await Self.hasOtherHeader(place.region, pack) { differing.insert(index) }
        }
        differing.subtract(failures.keys)
    }

    /// What lies where no record can be told: kept as it is in the first region, so that all that follows keeps its place.
    private static func remains(
        _ range: Range<UInt64>, of pack: PackID, in places: [(region: S3PackRegion, size: UInt64)]
    ) async -> [UInt8] {
        for place in places where place.size >= range.upperBound {
            if let bytes = try? await place.region.read(pack, [range])[0], bytes.count == range.count { return bytes }
        }
        return [UInt8](repeating: 0, count: range.count)
    }

    private static func hasOtherHeader(_ region: S3PackRegion, _ pack: PackID) async -> Bool {
        let header = SealedPack.header(of: pack)
        guard let found = try? await region.read(pack, [0..<UInt64(header.count)]) else { return false }
        return found[0] != header
    }
}
