import Model
import Storage
import StorageConformance
import TestSupport
import Testing

/// A disk without room: nothing is acknowledged, nothing is lost, and it goes on when there is room again.
@Suite struct FullDiskTests {
    @Test("a full disk refuses the append, keeps what was there, and the next append works when there is room")
    func roomAgain() async throws {
        let disk = MemoryDisk()
        let store = try await openStore([disk])
        var sample = Sample(seed: 1)
        try await sample.append(to: store)
        let before = disk.fingerprint
        disk.limit(to: disk.packs.values.reduce(0) { $0 + $1.count } + 700)
        await #expect(throws: StorageError(.full, "")) {
            _ = try await store.append([[UInt8](repeating: 1, count: 5000)])
        }
        #expect(disk.fingerprint == before, "the torn part was not cut")
        // What still fits is taken.
        try await sample.append(to: store, count: 1, size: 10...20)
        try await sample.verify(in: store)
        disk.limit(to: nil)
        try await sample.append(to: store)
        #expect(sample.packs.count == 1)
        try await sample.verify(in: store)
        #expect(try await scanAll(store).count == sample.acknowledged.count)
        try await store.close()
    }

    @Test("one full region of two refuses the append and leaves both alike")
    func oneOfTwo() async throws {
        let disks = [MemoryDisk(), MemoryDisk()]
        let store = try await openStore(disks)
        var sample = Sample(seed: 2)
        try await sample.append(to: store)
        disks[1].limit(to: 0)
        for _ in 0..<3 {
            await #expect(throws: StorageError(.full, "")) { _ = try await store.append([[1, 2, 3]]) }
        }
        #expect(disks[0].fingerprint == disks[1].fingerprint)
        disks[1].limit(to: nil)
        try await sample.append(to: store)
        try await sample.verify(in: store)
        try await store.close()
        #expect(disks[0].fingerprint == disks[1].fingerprint)
    }

    @Test("a torn part that can't be cut is covered at the next start", arguments: 0..<20)
    func uncut(seed: Int) async throws {
        let disk = MemoryDisk()
        let region = FaultyPackRegion(MemoryPackRegion(name: "region 0", disk: disk), seed: UInt64(seed))
        let store = try await PackedBlockStore.open(regions: [region])
        var sample = Sample(seed: UInt64(seed))
        try await sample.append(to: store)
        region.plan.isFull = true
        region.plan.refusedChanges = 0.6
        for _ in 0..<4 {
            await #expect(throws: StorageError.self) {
                _ = try await store.append([[UInt8](repeating: 9, count: 3000)])
            }
        }
        region.plan = FaultPlan()
        try await sample.append(to: store)
        try await sample.verify(in: store)
        // The process dies here.
        let again = try await openStore([disk], seed: 9)
        #expect(again.recovery.damage.isEmpty)
        try await sample.verify(in: again)
        #expect(try await scanAll(again).allSatisfy { $0.state != .corrupt })
        try await again.close()
    }
}
