import Model
import Storage
import StorageConformance
import TestSupport
import Testing

/// What happens when a region fails a write, is away, or comes back.
@Suite struct RegionFailureTests {
    private let disks = [MemoryDisk(seed: 1), MemoryDisk(seed: 2)]
    private let second: FaultyPackRegion

    init() {
        second = FaultyPackRegion(MemoryPackRegion(name: "region 1", disk: disks[1]), seed: 3)
    }

    private func open(minimumCopies: Int?, packSize: Int = 64 << 20, seed: UInt64 = 1) async throws -> PackedBlockStore
    {
        try await PackedBlockStore.open(
            regions: [MemoryPackRegion(name: "region 0", disk: disks[0]), second],
            configuration: PackedStoreConfiguration(packSize: packSize, minimumCopies: minimumCopies),
            generator: SeededGenerator(seed: seed))
    }

    @Test("by default an append fails when a region is down, and names it")
    func requireAll() async throws {
        let store = try await open(minimumCopies: nil)
        var sample = Sample(seed: 1)
        try await sample.append(to: store)
        second.plan.isDown = true
        await #expect {
            _ = try await store.append([[1, 2, 3]])
        } throws: { error in
            let error = error as? StorageError
            return error?.code == .unavailable && error?.message.contains("region 1") == true
        }
        #expect(store.statistics.failedGroups == 1)
        #expect(store.statistics.regionFailures["region 1"] ?? 0 > 0)
        try await sample.verify(in: store)
        second.plan.isDown = false
        try await sample.append(to: store)
        try await sample.verify(in: store)
        try await store.repairMissing()
        try await store.close()
        #expect(disks[0].fingerprint == disks[1].fingerprint)
    }

    @Test("a store does not open with fewer regions than an append needs, nor with one that another process has")
    func openingPolicy() async throws {
        second.plan.isDown = true
        await #expect(throws: StorageError(.unavailable, "")) { _ = try await open(minimumCopies: nil) }
        second.plan.isDown = false
        second.plan.isInUse = true
        await #expect(throws: StorageError(.inUse, "")) { _ = try await open(minimumCopies: 1) }
    }

    @Test("one copy being enough, appends go on, and the region gets all when it is back")
    func degraded() async throws {
        let store = try await open(minimumCopies: 1, packSize: 4000)
        var sample = Sample(seed: 2)
        try await sample.append(to: store)
        second.plan.isDown = true
        for _ in 0..<10 { try await sample.append(to: store) }
        #expect(store.statistics.pendingRepairs > 1)
        #expect(try await store.repairMissing() == 0, "a region that is down was repaired")
        second.plan.isDown = false
        // The pack that is still open is ended for it: the next one has all regions again.
        let repaired = try await store.repairMissing()
        #expect(repaired > 1)
        #expect(store.statistics.repairedPacks == UInt64(repaired))
        #expect(store.statistics.pendingRepairs == 0)
        try await sample.append(to: store)
        #expect(disks[0].packs.count == disks[1].packs.count)
        try await store.close()
        let again = try await open(minimumCopies: 1, seed: 2)
        try await again.repairMissing()
        #expect(again.statistics.pendingRepairs == 0)
        try await again.close()
        #expect(disks[0].fingerprint == disks[1].fingerprint)
        try await sample.verify(in: try await openStore([disks[1]]))
    }

    @Test("what a region lacks is remembered over a restart, even where its files look whole")
    func remembered() async throws {
        let store = try await open(minimumCopies: 1)
        var sample = Sample(seed: 3)
        try await sample.append(to: store)
        second.plan.tornWrites = 1
        try await sample.append(to: store)
        second.plan.tornWrites = 0
        try await store.close()
        // The disk lies: after the failed sync the file has its full length, and something else in it.
        let pack = try #require(sample.packs.first)
        let region = MemoryPackRegion(name: "region 1", disk: disks[1])
        let whole = try #require(disks[0].packs[pack])
        try await region.write([UInt8](repeating: 0xEE, count: whole.count), to: pack, at: 0)
        try await region.seal(pack, at: UInt64(whole.count))
        let again = try await open(minimumCopies: nil, seed: 2)
        #expect(again.statistics.pendingRepairs == 1)
        #expect(try await again.repairMissing() == 1)
        #expect(again.statistics.pendingRepairs == 0)
        #expect(disks[0].fingerprint == disks[1].fingerprint)
        try await again.close()
        let third = try await open(minimumCopies: nil, seed: 3)
        #expect(third.statistics.pendingRepairs == 0, "a settled repair came back")
        try await third.close()
    }

    @Test("an append is not acknowledged when it can't be remembered who lacks it")
    func notRemembered() async throws {
        let first = FaultyPackRegion(MemoryPackRegion(name: "region 0", disk: disks[0]))
        let store = try await PackedBlockStore.open(
            regions: [first, second], configuration: PackedStoreConfiguration(minimumCopies: 1))
        _ = try await store.append([[1]])
        second.plan.isDown = true
        // The first region still writes packs, but its notes can't be kept.
        let notes = RefusingNotes(base: first)
        let narrow = try await PackedBlockStore.open(
            regions: [notes, second], configuration: PackedStoreConfiguration(minimumCopies: 1))
        await #expect(throws: StorageError(.io, "")) { _ = try await narrow.append([[2]]) }
    }

    @Test("after a failed write a pack is never written again")
    func noSecondTry() async throws {
        let region = FaultyPackRegion(MemoryPackRegion(name: "only", disk: disks[0]), seed: 4)
        let store = try await PackedBlockStore.open(regions: [region])
        var sample = Sample(seed: 4)
        try await sample.append(to: store)
        let first = sample.packs
        region.plan.tornWrites = 1
        await #expect(throws: StorageError(.io, "")) { _ = try await store.append([[1, 2, 3]]) }
        region.plan.tornWrites = 0
        try await sample.append(to: store)
        #expect(sample.packs.count == 2)
        #expect(sample.acknowledged.last.map { !first.contains($0.location.pack) } == true)
        try await sample.verify(in: store)
        #expect(try await scanAll(store).allSatisfy { $0.state != .corrupt })
        try await store.close()
    }

    @Test("a removal that a region has missed is made up for, and does not bring the pack back")
    func missedRemoval() async throws {
        let store = try await open(minimumCopies: 1)
        var sample = Sample(seed: 5)
        try await sample.append(to: store)
        let pack = try #require(sample.packs.first)
        try await store.close()
        let next = try await open(minimumCopies: 1, seed: 2)
        second.plan.isDown = true
        try await next.delete(pack)
        await #expect(throws: StorageError(.notFound, "")) { try await sample.verify(in: next) }
        #expect(try await next.packs().isEmpty)
        try? await next.close()
        second.plan.isDown = false
        let third = try await open(minimumCopies: 1, seed: 3)
        #expect(disks[1].packs.count == 1)
        #expect(try await third.packs().isEmpty)
        #expect(try await third.repairMissing() == 1)
        #expect(disks[1].packs.isEmpty)
        #expect(disks[0].packs.isEmpty)
        try await third.close()
    }

    @Test("an empty region that is added gets everything")
    func addedRegion() async throws {
        let store = try await openStore([disks[0]], packSize: 3000)
        var sample = Sample(seed: 6)
        for _ in 0..<6 { try await sample.append(to: store) }
        try await store.close()
        let both = try await open(minimumCopies: nil)
        #expect(both.statistics.pendingRepairs == disks[0].packs.count)
        try await sample.verify(in: both)
        #expect(try await both.repairMissing() == disks[0].packs.count)
        #expect(disks[0].fingerprint == disks[1].fingerprint)
        try await both.close()
    }

    @Test("readiness fails with a region that an append needs, and names it")
    func readiness() async throws {
        let strict = try await open(minimumCopies: nil)
        try await strict.check()
        second.plan.isDown = true
        await #expect(throws: StorageError(.unavailable, "")) { try await strict.check() }
        second.plan.isDown = false
        disks[0].limit(to: 0)
        await #expect(throws: StorageError(.full, "")) { try await strict.check() }
        disks[0].limit(to: nil)
        try await strict.check()
        try await strict.close()
    }

    @Test("one copy being enough, readiness needs one region, whichever")
    func readinessOfOne() async throws {
        let store = try await open(minimumCopies: 1)
        second.plan.isDown = true
        try await store.check()
        disks[0].limit(to: 0)
        await #expect(throws: StorageError.self) { try await store.check() }
        second.plan.isDown = false
        try await store.check()
        disks[0].limit(to: nil)
        try await store.close()
    }

    @Test("a damaged list of repairs stops the store from opening, for it may name what must not be trusted")
    func damagedList() async throws {
        try await MemoryPackRegion(name: "region 0", disk: disks[0]).storeNote([1, 2, 3], "repairs")
        await #expect(throws: StorageError(.corrupt, "")) { _ = try await open(minimumCopies: nil) }
    }
}

/// A region that keeps packs and refuses notes.
private struct RefusingNotes: PackRegion {
    let base: any PackRegion
    var name: String { base.name }

    func open() async throws { try await base.open() }
    func list() async throws -> [PackSummary] { [] }
    func find(_ pack: PackID) async throws -> PackSummary? { try await base.find(pack) }
    func create(_ pack: PackID) async throws { try await base.create(pack) }
    func write(_ bytes: [UInt8], to pack: PackID, at offset: UInt64) async throws {
        try await base.write(bytes, to: pack, at: offset)
    }
    func read(_ pack: PackID, _ ranges: [Range<UInt64>]) async throws -> [[UInt8]] {
        try await base.read(pack, ranges)
    }
    func truncate(_ pack: PackID, to size: UInt64) async throws { try await base.truncate(pack, to: size) }
    func seal(_ pack: PackID, at size: UInt64) async throws { try await base.seal(pack, at: size) }
    func delete(_ pack: PackID) async throws { try await base.delete(pack) }
    func loadNote(_ name: String) async throws -> [UInt8]? { nil }
    func storeNote(_ bytes: [UInt8], _ name: String) async throws { throw StorageError(.io, "no notes here") }
    func check() async throws { try await base.check() }
    func close() async throws { try await base.close() }
}
