import Model
import StorageConformance
import TestSupport
import Testing

@testable import Storage

/// What opening a store does with packs that were not sealed.
@Suite struct RecoveryTests {
    /// A store that was not closed, and what it had acknowledged.
    private func abandoned(_ disks: [MemoryDisk], appends: Int = 3) async throws -> (Sample, PackID) {
        let store = try await openStore(disks)
        var sample = Sample(seed: 5)
        for _ in 0..<appends { try await sample.append(to: store, size: 100...900) }
        let pack = try #require(sample.packs.first)
        return (sample, pack)
    }

    @Test("a torn tail is cut on start and reported")
    func tornTail() async throws {
        let disk = MemoryDisk()
        let (sample, pack) = try await abandoned([disk])
        let whole = try #require(disk.packs[pack])
        disk.tear(pack, appending: [UInt8](repeating: 0xAB, count: 777))
        let store = try await openStore([disk], seed: 2)
        #expect(
            store.recovery.tornTails == [
                RecoveryReport.TornTail(region: "region 0", pack: pack, kept: UInt64(whole.count), cut: 777)
            ])
        #expect(store.recovery.examinedPacks == 1)
        expectEqual(disk.packs[pack], whole)
        try await sample.verify(in: store)
        try await store.close()
    }

    @Test("every cut of the last record leaves the others")
    func everyCut() async throws {
        let disk = MemoryDisk()
        let (sample, pack) = try await abandoned([disk])
        let whole = try #require(disk.packs[pack])
        let last = try #require(sample.acknowledged.last)
        let frame = Int(last.location.offset) - PackFormat.recordHeaderLength
        for end in stride(from: frame, to: whole.count, by: 13) {
            let other = MemoryDisk()
            let region = MemoryPackRegion(name: "region 0", disk: other)
            try await region.create(pack)
            try await region.write(Array(whole.prefix(end)), to: pack, at: 0)
            let store = try await openStore([other], seed: 3)
            #expect(other.packs[pack]?.count == frame)
            #expect(try await store.read(sample.acknowledged[0].location) == sample.acknowledged[0].bytes)
            await #expect(throws: StorageError(.corrupt, "")) { _ = try await store.read(last.location) }
            try await store.close()
        }
    }

    @Test("a pack without any whole record goes")
    func nothingWhole() async throws {
        let disk = MemoryDisk()
        let region = MemoryPackRegion(name: "region 0", disk: disk)
        var generator = SeededGenerator(seed: 1)
        let empty = PackID(using: &generator)
        let junk = PackID(using: &generator)
        try await region.create(empty)
        try await region.create(junk)
        try await region.write(generator.bytes(3000), to: junk, at: 0)
        let store = try await openStore([disk])
        #expect(disk.packs.isEmpty)
        #expect(store.recovery.tornTails.map(\.cut) == [3000])
        try await store.close()
    }

    @Test("torn bytes between whole records are covered, not cut with what follows")
    func coveredGap() async throws {
        let disk = MemoryDisk()
        let region = MemoryPackRegion(name: "region 0", disk: disk)
        let pack = PackID(high: 4, low: 5)
        let plan = GroupPlan(
            [[1, 2, 3], [4, 5, 6], [7, 8, 9]].map { FramedRecord($0) }, pack: pack, at: 0)
        var torn = plan.bytes
        for place in 59..<86 { torn[place] = 0 }
        try await region.create(pack)
        try await region.write(torn, to: pack, at: 0)
        let store = try await openStore([disk])
        #expect(store.recovery.coveredBytes == 27)
        #expect(store.recovery.damage.isEmpty)
        #expect(try await store.read(plan.locations[2]) == [7, 8, 9])
        await #expect(throws: StorageError(.corrupt, "")) { _ = try await store.read(plan.locations[1]) }
        let found = try await scanAll(store)
        #expect(found.map(\.location) == [plan.locations[0], plan.locations[2]])
        try await store.close()
    }

    @Test("a damaged record with a later group behind it is reported as lost, not as torn")
    func acknowledgedDamage() async throws {
        let disk = MemoryDisk()
        let (sample, pack) = try await abandoned([disk])
        let victim = sample.acknowledged[1].location
        disk.flipBit(of: pack, at: victim.offset + 5)
        let store = try await openStore([disk], seed: 2)
        let start = victim.offset - UInt64(PackFormat.recordHeaderLength)
        #expect(
            store.recovery.damage == [
                RecoveryReport.Damage(pack: pack, range: start..<victim.offset + UInt64(victim.length))
            ])
        for record in sample.acknowledged where record.location != victim {
            #expect(try await store.read(record.location) == record.bytes)
        }
        let corrupt = try await scanAll(store).filter { $0.state == .corrupt }
        #expect(corrupt.map(\.location) == [victim])
        try await store.close()
    }

    @Test("the shorter region is brought up to the longer one")
    func shorterRegion() async throws {
        let disks = [MemoryDisk(), MemoryDisk()]
        let (sample, pack) = try await abandoned(disks)
        let whole = try #require(disks[1].packs[pack])
        disks[0].cut(pack, to: whole.count / 2)
        let store = try await openStore(disks, seed: 2)
        expectEqual(disks[0].packs[pack], whole)
        expectEqual(disks[1].packs[pack], whole)
        #expect(store.recovery.tornTails.isEmpty)
        try await sample.verify(in: store)
        try await store.close()
    }

    @Test("records that are whole in different regions are brought together")
    func complementary() async throws {
        let disks = [MemoryDisk(), MemoryDisk()]
        let (sample, pack) = try await abandoned(disks)
        let whole = try #require(disks[0].packs[pack])
        disks[0].flipBit(of: pack, at: sample.acknowledged[0].location.offset)
        disks[1].flipBit(of: pack, at: sample.acknowledged[4].location.offset - 20)
        let store = try await openStore(disks, seed: 2)
        expectEqual(disks[0].packs[pack], whole)
        expectEqual(disks[1].packs[pack], whole)
        #expect(store.recovery.damage.isEmpty)
        try await store.close()
    }

    @Test("a region that lost the pack altogether gets it back")
    func lostPack() async throws {
        let disks = [MemoryDisk(), MemoryDisk()]
        let (sample, pack) = try await abandoned(disks)
        disks[0].lose(pack)
        let store = try await openStore(disks, seed: 2)
        #expect(disks[0].fingerprint == disks[1].fingerprint)
        try await sample.verify(in: store)
        try await store.close()
    }

    @Test("what can't be read on start is not cut")
    func unreadable() async throws {
        let disk = MemoryDisk()
        let (sample, pack) = try await abandoned([disk])
        let whole = try #require(disk.packs[pack])
        let region = FaultyPackRegion(MemoryPackRegion(name: "region 0", disk: disk))
        region.plan.failedReads = 1
        let store = try await PackedBlockStore.open(regions: [region])
        expectEqual(disk.packs[pack], whole)
        await #expect(throws: StorageError(.io, "")) { _ = try await store.read(sample.acknowledged[0].location) }
        region.plan.failedReads = 0
        try await sample.verify(in: store)
        try await store.close()
        let again = try await openStore([disk], seed: 3)
        try await sample.verify(in: again)
        #expect(try await again.packs().map(\.isSealed) == [true])
        try await again.close()
    }

    @Test("a region that is only shorter because it was away does not cut the longer one")
    func staleRegionFirst() async throws {
        let disks = [MemoryDisk(), MemoryDisk()]
        let away = FaultyPackRegion(MemoryPackRegion(name: "region 1", disk: disks[1]))
        let store = try await PackedBlockStore.open(
            regions: [MemoryPackRegion(name: "region 0", disk: disks[0]), away],
            configuration: PackedStoreConfiguration(minimumCopies: 1))
        var sample = Sample(seed: 6)
        try await sample.append(to: store)
        away.plan.isDown = true
        try await sample.append(to: store)
        // The process dies. At the next start only the region that missed the second append is there.
        let gone = FaultyPackRegion(MemoryPackRegion(name: "region 0", disk: disks[0]))
        gone.plan.isDown = true
        let stale = try await PackedBlockStore.open(
            regions: [gone, MemoryPackRegion(name: "region 1", disk: disks[1])],
            configuration: PackedStoreConfiguration(minimumCopies: 1))
        #expect(stale.recovery.missingRegions["region 0"] == StorageError(.unavailable, ""))
        await #expect(throws: StorageError(.unavailable, "")) { try await sample.verify(in: stale) }
        gone.plan.isDown = false
        try await stale.repairMissing()
        try await sample.verify(in: stale)
        try await stale.close()
        #expect(disks[0].fingerprint == disks[1].fingerprint)
    }
}
