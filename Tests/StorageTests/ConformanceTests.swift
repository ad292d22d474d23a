import Model
import Storage
import StorageConformance
import StorageLocal
import TestSupport
import Testing

/// The contract of a block store, kept by every backend and through every fault that a backend has to bear.
@Suite struct ConformanceTests {
    @Test("a local store of one region keeps the contract", arguments: BlockStoreConformance.checks)
    func oneDirectory(check: BlockStoreConformance.Check) async throws {
        let directory = TemporaryDirectory()
        try await check.run { try await LocalBlockStore.open(directories: [directory.path]) }
    }

    @Test("a local store of two regions keeps the contract", arguments: BlockStoreConformance.checks)
    func twoDirectories(check: BlockStoreConformance.Check) async throws {
        let directory = TemporaryDirectory()
        let both = [directory.appending("first"), directory.appending("second")]
        try await check.run { try await LocalBlockStore.open(directories: both) }
        #expect(try fileTree(both[0]) == (try fileTree(both[1])), "the regions differ")
    }

    @Test("small packs and small groups keep the contract", arguments: BlockStoreConformance.checks)
    func smallPacks(check: BlockStoreConformance.Check) async throws {
        let disk = MemoryDisk()
        let configuration = PackedStoreConfiguration(packSize: 4096, groupSize: 1500)
        try await check.run {
            try await PackedBlockStore.open(regions: [MemoryPackRegion(disk: disk)], configuration: configuration)
        }
    }

    @Test("slow regions, one of which reads wrong bits, keep the contract", arguments: BlockStoreConformance.checks)
    func wrongReads(check: BlockStoreConformance.Check) async throws {
        let disks = [MemoryDisk(), MemoryDisk()]
        var plan = FaultPlan()
        plan.flippedReads = 0.3
        plan.failedReads = 0.2
        plan.delay = 3
        let faults = plan
        try await check.run {
            let first = FaultyPackRegion(MemoryPackRegion(name: "first", disk: disks[0]), seed: 5, plan: faults)
            return try await PackedBlockStore.open(
                regions: [first, MemoryPackRegion(name: "second", disk: disks[1])])
        }
    }

    @Test("one copy being enough, a region that is down keeps the contract", arguments: BlockStoreConformance.checks)
    func degraded(check: BlockStoreConformance.Check) async throws {
        let disk = MemoryDisk()
        var plan = FaultPlan()
        plan.isDown = true
        let faults = plan
        try await check.run {
            let second = FaultyPackRegion(MemoryPackRegion(name: "second"), plan: faults)
            return try await PackedBlockStore.open(
                regions: [MemoryPackRegion(name: "first", disk: disk), second],
                configuration: PackedStoreConfiguration(minimumCopies: 1))
        }
    }

    @Test("retries over a store that fails now and then keep the contract", arguments: BlockStoreConformance.checks)
    func retried(check: BlockStoreConformance.Check) async throws {
        let disk = MemoryDisk()
        var plan = FaultyBlockStore.Plan()
        plan.failedReads = 0.2
        plan.failedAppends = 0.2
        let faults = plan
        try await check.run {
            let base = try await PackedBlockStore.open(regions: [MemoryPackRegion(disk: disk)])
            return RetryingBlockStore(
                FaultyBlockStore(base, seed: 9, plan: faults), attempts: 12, pause: { _ in await Task.yield() })
        }
    }
}
