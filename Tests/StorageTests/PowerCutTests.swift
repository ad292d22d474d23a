import Model
import Storage
import StorageConformance
import TestSupport
import Testing

/// Whatever moment the power goes: what was acknowledged is there afterwards, byte for byte.
@Suite struct PowerCutTests {
    @Test("one region: nothing acknowledged is lost, nothing torn is left", arguments: 0..<120)
    func oneRegion(seed: Int) async throws {
        try await live(seed: UInt64(seed), disks: 1)
    }

    @Test("two regions: nothing acknowledged is lost, and both end up the same", arguments: 0..<120)
    func twoRegions(seed: Int) async throws {
        try await live(seed: UInt64(seed) + 1000, disks: 2)
    }

    /// Three lives of a store, each ended by a power cut, some of them before the store is open.
    private func live(seed: UInt64, disks count: Int) async throws {
        let disks = (0..<count).map { MemoryDisk(seed: seed &* 31 &+ UInt64($0)) }
        var sample = Sample(seed: seed)
        var moments = SeededGenerator(seed: seed &+ 77)
        for life in 0..<3 {
            // Packs of a few records, so that cuts meet the making and the sealing of packs as well.
            for disk in disks { disk.cutPower(afterOperations: Int.random(in: 0...25, using: &moments)) }
            do {
                let store = try await openStore(disks, packSize: 6000, seed: seed &+ UInt64(life) &* 131)
                while true { try await sample.append(to: store, count: Int.random(in: 1...6, using: &moments)) }
            } catch let error as StorageError {
                #expect(error.code == .unavailable)
            }
            for disk in disks { disk.restart() }
        }
        let store = try await openStore(disks, packSize: 6000, seed: seed &+ 999)
        #expect(store.recovery.damage.isEmpty, "torn bytes were taken for lost ones")
        try await sample.verify(in: store)
        let damaged = try await scanAll(store).filter { $0.state == .corrupt }
        #expect(damaged.isEmpty)
        let isSealed = try await store.packs().allSatisfy { $0.isSealed }
        #expect(isSealed)
        try await store.repairMissing()
        for disk in disks.dropFirst() { #expect(disk.fingerprint == disks[0].fingerprint) }
        try await store.close()
    }

    @Test("one copy being enough, a region that comes and goes never costs an acknowledged record", arguments: 0..<80)
    func degraded(seed: Int) async throws {
        let disks = [MemoryDisk(seed: UInt64(seed)), MemoryDisk(seed: UInt64(seed) + 500)]
        var sample = Sample(seed: UInt64(seed))
        var moments = SeededGenerator(seed: UInt64(seed) + 7)
        for life in 0..<4 {
            let store = try await openStore(disks, packSize: 5000, minimumCopies: 1, seed: UInt64(seed * 10 + life))
            // One of the two goes away in the middle; the store goes on with the other one.
            let victim = disks[Int.random(in: 0...1, using: &moments)]
            victim.cutPower(afterOperations: Int.random(in: 0...12, using: &moments))
            for _ in 0..<Int.random(in: 5...20, using: &moments) { try await sample.append(to: store, count: 2) }
            victim.restart()
            try await sample.verify(in: store, "life \(life)")
            if Bool.random(using: &moments) { try await store.repairMissing() }
            if Bool.random(using: &moments) { try await store.close() }
        }
        let store = try await openStore(disks, packSize: 5000, minimumCopies: 1, seed: UInt64(seed) + 9999)
        try await store.repairMissing()
        #expect(store.statistics.pendingRepairs == 0)
        try await sample.verify(in: store)
        try await store.close()
        // Each of the two is now good enough alone.
        for disk in disks { try await sample.verify(in: try await openStore([disk])) }
    }
}
