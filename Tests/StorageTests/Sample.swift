import Model
import Storage
import StorageConformance
import Synchronization
import TestSupport
import Testing

/// What a test knows of the records that it has appended.
struct Sample {
    var generator: SeededGenerator
    private(set) var acknowledged: [(location: PackLocation, bytes: [UInt8])] = []

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
    }

    /// Appends a few records of random sizes, and remembers them if that is acknowledged.
    mutating func append(to store: some BlockStore, count: Int = 3, size: ClosedRange<Int> = 0...900) async throws {
        let records = (0..<count).map { _ in generator.bytes(Int.random(in: size, using: &generator)) }
        let locations = try await store.append(records)
        acknowledged += zip(locations, records).map { (location: $0, bytes: $1) }
    }

    /// Reads everything that was acknowledged, together and one by one.
    func verify(in store: some BlockStore, _ comment: Comment? = nil) async throws {
        let answers = try await store.read(acknowledged.map(\.location))
        for (answer, record) in zip(answers, acknowledged) {
            let isSame = answer == record.bytes
            #expect(isSame, comment)
        }
        if let last = acknowledged.last {
            let isSame = try await store.read(last.location) == last.bytes
            #expect(isSame, comment)
        }
    }

    /// Forgets records whose pack is gone.
    mutating func forget(_ pack: PackID) {
        acknowledged.removeAll { $0.location.pack == pack }
    }

    /// The packs that were written.
    var packs: Set<PackID> { Set(acknowledged.map(\.location.pack)) }
}

/// Scans all packs of a store.
func scanAll(_ store: some BlockStore) async throws -> [PackRecord] {
    let found = Mutex<[PackRecord]>([])
    for pack in try await store.packs() {
        try await store.scan(pack.pack) { record in found.withLock { $0.append(record) } }
    }
    return found.withLock { $0 }
}

/// Opens a store over disks of memory; each region is named by the number of its disk.
func openStore(
    _ disks: [MemoryDisk], packSize: Int = 64 << 20, minimumCopies: Int? = nil, seed: UInt64 = 1
) async throws -> PackedBlockStore {
    try await PackedBlockStore.open(
        regions: disks.enumerated().map { MemoryPackRegion(name: "region \($0)", disk: $1) },
        configuration: PackedStoreConfiguration(packSize: packSize, minimumCopies: minimumCopies),
        generator: SeededGenerator(seed: seed))
}

extension MemoryDisk {
    /// A short stand-in for all the bytes of all packs: equal for equal disks.
    var fingerprint: [PackID: String] {
        packs.mapValues { bytes in "\(bytes.count) bytes, hash \(bytes.hashValue)" }
    }
}

/// Compares long arrays without printing them.
func expectEqual(_ left: [UInt8]?, _ right: [UInt8], at location: SourceLocation = #_sourceLocation) {
    let isEqual = left == right
    #expect(isEqual, "\(left?.count ?? -1) bytes against \(right.count)", sourceLocation: location)
}
