import Model
import Storage
import StorageConformance
import StorageLocal
import TestSupport
import Testing

/// Many writers share few syncs, and nobody waits for ever or without a bound.
@Suite struct GroupCommitTests {
    @Test("many writers share the syncs")
    func sharedSyncs() async throws {
        let disk = MemoryDisk()
        var plan = FaultPlan()
        plan.delay = 200
        let region = FaultyPackRegion(MemoryPackRegion(disk: disk), plan: plan)
        let store = try await PackedBlockStore.open(regions: [region])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<200 {
                group.addTask {
                    let bytes = [UInt8](repeating: UInt8(writer), count: 100 + writer)
                    let location = try await store.append([bytes])[0]
                    #expect(try await store.read(location) == bytes)
                }
            }
            try await group.waitForAll()
        }
        let statistics = store.statistics
        #expect(statistics.appendedRecords == 200)
        #expect(statistics.groups < 40, "200 records took \(statistics.groups) syncs")
        #expect(disk.syncs == Int(statistics.groups))
        try await store.close()
    }

    @Test("many writers on a real disk share the syncs too")
    func localSyncs() async throws {
        let directory = TemporaryDirectory()
        let store = try await LocalBlockStore.open(directories: [directory.path])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<64 {
                group.addTask {
                    for _ in 0..<4 { _ = try await store.append([[UInt8](repeating: UInt8(writer), count: 500)]) }
                }
            }
            try await group.waitForAll()
        }
        let statistics = store.statistics
        #expect(statistics.appendedRecords == 256)
        #expect(statistics.appendedBytes == 256 * 500)
        #expect(statistics.groups < 128, "256 records took \(statistics.groups) syncs")
        try await store.close()
    }

    @Test("one large append is written in several groups and several packs")
    func largeAppend() async throws {
        let disk = MemoryDisk()
        let store = try await PackedBlockStore.open(
            regions: [MemoryPackRegion(disk: disk)],
            configuration: PackedStoreConfiguration(packSize: 10_000, groupSize: 3000, queueSize: 5000))
        var sample = Sample(seed: 3)
        try await sample.append(to: store, count: 100, size: 500...1500)
        try await sample.verify(in: store)
        #expect(store.statistics.groups > 20)
        #expect(disk.packs.values.allSatisfy { $0.count <= 10_000 })
        #expect(disk.packs.count > 8)
        try await store.close()
    }

    @Test("a record larger than a pack gets one of its own")
    func hugeRecord() async throws {
        let store = try await openStore([MemoryDisk()], packSize: 1000)
        var sample = Sample(seed: 4)
        for size in [10, 5000, 10, 5000] { try await sample.append(to: store, count: 1, size: size...size) }
        try await sample.verify(in: store)
        #expect(sample.packs.count == 4)
        try await store.close()
    }

    @Test("what is more than may wait is refused as unavailable, and the rest is written")
    func backPressure() async throws {
        var plan = FaultPlan()
        plan.delay = 500
        let region = FaultyPackRegion(MemoryPackRegion(), plan: plan)
        let store = try await PackedBlockStore.open(
            regions: [region], configuration: PackedStoreConfiguration(queueSize: 10_000))
        let written = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<100 {
                group.addTask {
                    do {
                        _ = try await store.append([[UInt8](repeating: 1, count: 1000)])
                        return true
                    } catch let error as StorageError {
                        #expect(error.code == .unavailable)
                        #expect(error.isRetryable)
                        return false
                    }
                }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(written >= 10)
        #expect(written < 100)
        #expect(store.statistics.refusedAppends == UInt64(100 - written))
        #expect(store.statistics.waitingBytes == 0)
        try await store.close()
    }
}
