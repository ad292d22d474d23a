import Model
import Storage
import Synchronization
import TestSupport
import Testing

@testable import S3Support
@testable import StorageS3

/// When something is acknowledged, and what is there then.
@Suite struct AppendTests {
    @Test("what is acknowledged lies in both regions, byte for byte")
    func both() async throws {
        try await TwoRegions.with { regions in
            let store = try await regions.open()
            var sample = Sample(seed: 1)
            for _ in 0..<5 { try await sample.append(to: store) }
            regions.expectEqual()
            #expect(regions.near.objects().count == 5)
            #expect(Set(regions.near.objects().keys) == Set(sample.packs.map { key($0) }))
            var expected = StorageStatistics()
            expected.appendedRecords = 15
            expected.appendedBytes = sample.acknowledged.reduce(0) { $0 + UInt64($1.bytes.count) }
            expected.groups = 5
            expected.packsCreated = 5
            #expect(store.statistics == expected)
            try await store.close()
        }
    }

    @Test("with a region down nothing is acknowledged when both are required, and nothing is left of it")
    func allRequired() async throws {
        try await TwoRegions.with { regions in
            let store = try await regions.open()
            regions.far.isDown = true
            for _ in 0..<4 {
                await #expect {
                    try await store.append([[1, 2, 3]])
                } throws: { error in
                    let error = error as? StorageError
                    return error?.code == .unavailable && error?.description.contains("far") == true
                }
            }
            #expect(regions.near.objects().isEmpty)
            #expect(try await store.packs().isEmpty)
            #expect(store.statistics.failedGroups == 4)
            // Once it is known to be down, the other region is not even tried.
            let puts = regions.near.count("PUT packs")
            await #expect(throws: StorageError.self) { try await store.append([[1]]) }
            #expect(regions.near.count("PUT packs") == puts)
            regions.far.isDown = false
            try await store.repairMissing()
            var sample = Sample(seed: 2)
            try await sample.append(to: store)
            try await sample.verify(in: store)
            regions.expectEqual()
            try await store.close()
        }
    }

    @Test(
        "with a region down and one copy enough, what is acknowledged is readable, and both are equal after the repair")
    func oneRequired() async throws {
        try await TwoRegions.with { regions in
            let store = try await regions.open(minimumCopies: 1)
            var sample = Sample(seed: 3)
            try await sample.append(to: store)
            regions.far.isDown = true
            for _ in 0..<6 { try await sample.append(to: store) }
            try await sample.verify(in: store)
            #expect(regions.near.objects("repairs/copy/far/").count == 6)
            // Another process finds the notes and can read everything.
            let other = try await regions.open(minimumCopies: 1)
            try await sample.verify(in: other)
            regions.far.isDown = false
            #expect(try await other.repairMissing() == 6)
            regions.expectEqual()
            #expect(try await other.repairMissing() == 0)
            regions.near.isDown = true
            try await sample.verify(in: other)
            try await other.close()
            try await store.close()
        }
    }

    @Test("with both regions down nothing is acknowledged, and the error names them")
    func noneThere() async throws {
        try await TwoRegions.with { regions in
            let store = try await regions.open(minimumCopies: 1)
            for server in regions.servers { server.isDown = true }
            for _ in 0..<3 {
                await #expect {
                    try await store.append([[1, 2, 3]])
                } throws: { error in
                    let text = (error as? StorageError)?.description ?? ""
                    return text.contains("near") && text.contains("far") && text.hasPrefix("unavailable")
                }
            }
            for server in regions.servers { server.isDown = false }
            #expect(regions.near.objects("").isEmpty && regions.far.objects("").isEmpty)
            try await store.repairMissing()
            await #expect(throws: Never.self) { try await store.check() }
            try await store.close()
        }
    }

    @Test("an append without a durable note about what a region lacks is not acknowledged")
    func noteFails() async throws {
        try await TwoRegions.with { regions in
            let store = try await regions.open(minimumCopies: 1)
            regions.far.isDown = true
            regions.near.fail(.init(fault: .answer(507, "StorageFull"), method: "PUT", keyPrefix: "repairs/"))
            await #expect(throws: StorageError(.full, "")) { try await store.append([[1]]) }
            #expect(regions.near.objects().isEmpty)
            try await store.close()
        }
    }

    @Test("a region that is slow holds nothing up for longer than its patience")
    func patience() async throws {
        try await TwoRegions.with { regions in
            let store = try await regions.open(minimumCopies: 1, patience: .milliseconds(50))
            regions.far.fail(.init(fault: .silent, method: "PUT"))
            var sample = Sample(seed: 4)
            let start = ContinuousClock().now
            try await sample.append(to: store)
            #expect(start.duration(to: ContinuousClock().now) < .seconds(10))
            #expect(regions.near.objects("repairs/copy/far/").count == 1)
            regions.far.heal()
            try await store.repairMissing()
            regions.expectEqual()
            try await sample.verify(in: store)
            try await store.close()
        }
    }

    @Test("an object that was stored while its answer was lost is taken for what it is")
    func lostAnswers() async throws {
        try await TwoRegions.with { regions in
            let store = try await regions.open()
            var sample = Sample(seed: 5)
            for _ in 0..<4 {
                regions.near.fail(.init(fault: .lostAnswer, times: 1, method: "PUT"))
                regions.far.fail(.init(fault: .lostAnswer, times: 2, method: "PUT"))
                try await sample.append(to: store)
            }
            #expect(regions.near.objects().count == 4)
            regions.expectEqual()
            try await sample.verify(in: store)
            try await store.close()
        }
    }

    @Test("another object of the same key is never overwritten")
    func collision() async throws {
        let server = try await FakeS3.start()
        var generator = SeededGenerator(seed: 6)
        let first = PackID(using: &generator)
        try await server.client().put(key(first), [1, 2, 3])
        let store = try await S3BlockStore.open(
            regions: [server.configuration("only")], generator: SeededGenerator(seed: 6))
        await #expect(throws: StorageError(.io, "")) { try await store.append([[9]]) }
        #expect(server.objects()[key(first)] == [1, 2, 3])
        let location = try await store.append([[9]])[0]
        #expect(try await store.read(location) == [9])
        try await store.close()
        try await server.stop()
    }

    @Test("a full region is told as full")
    func full() async throws {
        try await TwoRegions.with { regions in
            let store = try await regions.open()
            regions.far.state.withLock { $0.bucket.quota = 100 }
            await #expect(throws: StorageError(.full, "")) {
                try await store.append([[UInt8](repeating: 1, count: 200)])
            }
            #expect(regions.near.objects().isEmpty)
            try await store.close()
        }
    }

    @Test("many small appends at once share packs, and no more are stored at a time than may be")
    func grouping() async throws {
        let server = try await FakeS3.start()
        let store = try await S3BlockStore.open(
            regions: [server.configuration("only")], configuration: S3StoreConfiguration(packsInFlight: 2))
        server.fail(.init(fault: .late(milliseconds: 20), method: "PUT"))
        let results = try await withThrowingTaskGroup(of: (PackLocation, UInt8).self) { group in
            for number in 0..<60 {
                group.addTask { (try await store.append([[UInt8(number)]])[0], UInt8(number)) }
            }
            var results: [(PackLocation, UInt8)] = []
            for try await result in group { results.append(result) }
            return results
        }
        let packs = server.objects().count
        #expect(packs >= 3 && packs < 30)
        #expect(server.state.withLock { $0.mostRunning } <= 2)
        #expect(try await store.read(results.map(\.0)) == results.map { [$0.1] })
        try await store.close()
        try await server.stop()
    }

    @Test("what is too much to wait is refused, and the rest is stored")
    func refused() async throws {
        let server = try await FakeS3.start()
        let store = try await S3BlockStore.open(
            regions: [server.configuration("only")],
            configuration: S3StoreConfiguration(queueSize: 4000, packsInFlight: 1))
        server.fail(.init(fault: .late(milliseconds: 20), method: "PUT"))
        let outcomes = await withTaskGroup(of: Result<[PackLocation], any Error>.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    do { return .success(try await store.append([[UInt8](repeating: 3, count: 1000)])) } catch {
                        return .failure(error)
                    }
                }
            }
            var outcomes: [Result<[PackLocation], any Error>] = []
            for await outcome in group { outcomes.append(outcome) }
            return outcomes
        }
        let stored = outcomes.compactMap { try? $0.get()[0] }
        #expect(!stored.isEmpty && stored.count < 20)
        #expect(store.statistics.refusedAppends == UInt64(20 - stored.count))
        #expect(store.statistics.waitingBytes == 0)
        #expect(try await store.read(stored).count == stored.count)
        try await store.close()
        try await server.stop()
    }

    @Test("a cancelled append is not torn from those who wait for the same pack")
    func cancelled() async throws {
        let server = try await FakeS3.start()
        let store = try await S3BlockStore.open(
            regions: [server.configuration("only")], configuration: S3StoreConfiguration(packsInFlight: 1))
        server.fail(.init(fault: .late(milliseconds: 30), method: "PUT"))
        let leader = Task { try await store.append([[1]]) }
        let others = Task { try await store.append([[2]]) }
        leader.cancel()
        let first = try await leader.value[0]
        let second = try await others.value[0]
        #expect(try await store.read([first, second]) == [[1], [2]])
        try await store.close()
        try await server.stop()
    }

    @Test("a large append is one pack, stored in parts, and read back")
    func large() async throws {
        try await TwoRegions.with { regions in
            let store = try await regions.open()
            var sample = Sample(seed: 7)
            try await sample.append(to: store, count: 5, size: (4 << 20)...(4 << 20))
            #expect(sample.packs.count == 1)
            #expect(regions.near.count("POST packs") == 2)
            regions.expectEqual()
            try await sample.verify(in: store)
            try await store.close()
        }
    }

    @Test("what a process that was killed in the middle of an upload leaves is no pack, and is given up by its age")
    func killedUpload() async throws {
        try await TwoRegions.with { regions in
            let clock = ManualClock(SystemWallClock().now())
            let store = try await regions.open(wallClock: clock)
            // Everything up to the last request, as of a process that died before it.
            let client = try regions.near.client()
            var generator = SeededGenerator(seed: 8)
            let pack = PackID(using: &generator)
            let upload = try await client.beginUpload(key(pack))
            for part in 1...2 { _ = try await client.send(part: part, generator.bytes(5 << 20), of: upload) }
            #expect(try await store.packs().isEmpty)
            await #expect(throws: StorageError(.notFound, "")) {
                try await store.read(PackLocation(pack: pack, offset: 56, length: 10))
            }
            try await store.repairMissing()
            #expect(regions.near.state.withLock { $0.bucket.uploads.count } == 1)
            clock.advance(by: .seconds(86_400 + 10))
            regions.near.state.withLock { $0.bucket.clockOffset = 86_410 }
            regions.far.state.withLock { $0.bucket.clockOffset = 86_410 }
            try await store.repairMissing()
            #expect(regions.near.state.withLock { $0.bucket.uploads.isEmpty })
            try await client.shutdown()
            try await store.close()
        }
    }
}
