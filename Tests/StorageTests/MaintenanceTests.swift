import Model
import StorageConformance
import TestSupport
import Testing

@testable import Storage

/// Repairs, removals and the walk through a pack, at their edges.
@Suite struct MaintenanceTests {
    @Test("a repair reaches the region that is there, and the other is remembered")
    func repairWithout() async throws {
        let disks = [MemoryDisk(), MemoryDisk()]
        let store = try await openStore(disks)
        var sample = Sample(seed: 1)
        try await sample.append(to: store, size: 100...200)
        try await store.close()
        let again = try await openStore(disks, seed: 2)
        let victim = sample.acknowledged[0]
        disks[0].lose(victim.location.pack)
        disks[1].flipBit(of: victim.location.pack, at: victim.location.offset)
        try await again.repair(victim.location, with: victim.bytes)
        #expect(again.statistics.pendingRepairs == 1)
        try await again.repairMissing()
        #expect(disks[0].fingerprint == disks[1].fingerprint)
        try await sample.verify(in: again)
        try await again.close()
    }

    @Test("a repair of what is nowhere fails and makes nothing")
    func repairNowhere() async throws {
        let disk = MemoryDisk()
        let store = try await openStore([disk])
        let location = try await store.append([[1, 2, 3]])[0]
        let beyond = PackLocation(pack: location.pack, offset: location.offset + 1000, length: 3)
        let before = disk.fingerprint
        await #expect(throws: StorageError(.notFound, "")) { try await store.repair(beyond, with: [1, 2, 3]) }
        let absent = PackLocation(pack: PackID(high: 5, low: 5), offset: 56, length: 3)
        await #expect(throws: StorageError(.notFound, "")) { try await store.repair(absent, with: [1, 2, 3]) }
        #expect(disk.fingerprint == before)
        try await store.close()
    }

    @Test("the pack that grows is scanned up to what was acknowledged")
    func scanOpenPack() async throws {
        let disk = MemoryDisk()
        let store = try await openStore([disk])
        var sample = Sample(seed: 2)
        try await sample.append(to: store)
        let pack = try #require(sample.packs.first)
        // As a group does that is being written while the scan runs.
        let region = MemoryPackRegion(disk: disk)
        let size = try #require(disk.packs[pack]).count
        try await region.write([UInt8](repeating: 3, count: 100), to: pack, at: UInt64(size))
        let found = try await scanAll(store)
        #expect(found.map(\.location) == sample.acknowledged.map(\.location))
        try await sample.append(to: store)
        try await sample.verify(in: store)
        try await store.close()
    }

    @Test("appends and removals at the same time leave every pack that was not removed")
    func removalsAmongAppends() async throws {
        let disks = [MemoryDisk(), MemoryDisk()]
        let store = try await openStore(disks, packSize: 2000)
        var sample = Sample(seed: 3)
        for round in 0..<20 {
            try await sample.append(to: store, size: 200...600)
            guard round % 3 == 2, let pack = sample.packs.sorted().first else { continue }
            async let removal: Void = store.delete(pack)
            async let other = store.append([[1, 2, 3]])
            _ = try await (removal, other)
            sample.forget(pack)
            try await sample.verify(in: store)
        }
        #expect(Set(try await store.packs().map(\.pack)).isSuperset(of: sample.packs))
        try await store.close()
        #expect(disks[0].fingerprint == disks[1].fingerprint)
    }

    @Test("the counts are those of what was done")
    func statistics() async throws {
        let store = try await openStore([MemoryDisk()])
        let locations = try await store.append([[1, 2, 3], [4]])
        _ = try await store.append([[5, 6]])
        _ = try await store.read(locations)
        var expected = StorageStatistics()
        expected.appendedRecords = 3
        expected.appendedBytes = 6
        expected.groups = 2
        expected.packsCreated = 1
        expected.readRecords = 2
        expected.readBytes = 4
        #expect(store.statistics == expected)
        try await store.close()
    }

    @Test("a bad sector in what is read ahead costs nothing but itself")
    func badSector() async throws {
        let disk = MemoryDisk()
        let store = try await openStore([disk])
        var sample = Sample(seed: 4)
        try await sample.append(to: store, count: 4, size: 500...600)
        let pack = try #require(sample.packs.first)
        let size = try #require(disk.packs[pack]).count
        let bad = BadSector(base: MemoryPackRegion(disk: disk), sector: sample.acknowledged[2].location.offset + 9)
        var walk = PackWalk(windows: [RegionWindow(index: 0, region: bad, pack: pack, size: UInt64(size))])
        var offsets: [UInt64] = []
        var gaps: [Range<UInt64>] = []
        while let piece = await walk.next() {
            switch piece {
            case .frame(let frame): offsets.append(frame.offset + 24)
            case .gap(let range): gaps.append(range)
            }
        }
        let places = sample.acknowledged.map(\.location.offset)
        #expect(offsets == [places[0], places[1], places[3]])
        #expect(gaps == [places[2] - 24..<places[3] - 24])
        #expect(walk.failures[0]?.code == .io)
        try await store.close()
    }
}

/// A region that can't read one of its bytes.
private struct BadSector: PackRegion {
    let base: MemoryPackRegion
    let sector: UInt64
    var name: String { base.name }

    func read(_ pack: PackID, _ ranges: [Range<UInt64>]) async throws -> [[UInt8]] {
        if ranges.contains(where: { $0.contains(sector) }) { throw StorageError(.io, "byte \(sector) is bad") }
        return try await base.read(pack, ranges)
    }

    func open() async throws { try await base.open() }
    func list() async throws -> [PackSummary] { try await base.list() }
    func find(_ pack: PackID) async throws -> PackSummary? { try await base.find(pack) }
    func create(_ pack: PackID) async throws { try await base.create(pack) }
    func write(_ bytes: [UInt8], to pack: PackID, at offset: UInt64) async throws {
        try await base.write(bytes, to: pack, at: offset)
    }
    func truncate(_ pack: PackID, to size: UInt64) async throws { try await base.truncate(pack, to: size) }
    func seal(_ pack: PackID, at size: UInt64) async throws { try await base.seal(pack, at: size) }
    func delete(_ pack: PackID) async throws { try await base.delete(pack) }
    func loadNote(_ name: String) async throws -> [UInt8]? { try await base.loadNote(name) }
    func storeNote(_ bytes: [UInt8], _ name: String) async throws { try await base.storeNote(bytes, name) }
    func check() async throws { try await base.check() }
    func close() async throws { try await base.close() }
}
