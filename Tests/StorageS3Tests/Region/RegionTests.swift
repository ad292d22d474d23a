import Model
import Storage
import Synchronization
import TestSupport
import Testing

@testable import S3Support
@testable import StorageS3

/// The parts of a region that are pure, and a bucket as a region for those who read packs.
@Suite struct RegionTests {
    @Test("a region goes down after failures in a row, is looked at from time to time, and comes back")
    func health() {
        var health = RegionHealth()
        let start = ContinuousClock().now
        health.failed(at: start)
        health.succeeded()
        health.failed(at: start)
        #expect(health.admit(at: start) == .pass && !health.isDown)
        health.failed(at: start)
        #expect(health.isDown && health.admit(at: start) == .refuse)
        #expect(health.admit(at: start + .seconds(1)) == .probe)
        #expect(health.admit(at: start + .seconds(1)) == .refuse, "one looks at a time")
        health.probeFailed(at: start + .seconds(1))
        #expect(health.admit(at: start + .milliseconds(1900)) == .refuse)
        var now = start + .seconds(2)
        for _ in 0..<10 {
            #expect(health.admit(at: now) == .probe)
            health.probeFailed(at: now)
            now += RegionHealth.longestPause
        }
        #expect(health.beginProbe() && !health.beginProbe())
        health.succeeded()
        #expect(!health.isDown && health.admit(at: now) == .pass && !health.beginProbe())
    }

    @Test("latencies are concluded from once there are enough, and old ones are forgotten")
    func latency() {
        var record = LatencyRecord()
        for number in 1...15 { record.add(.milliseconds(number)) }
        #expect(record.median == nil && record.slow == nil)
        for number in 16...20 { record.add(.milliseconds(number)) }
        #expect(record.median == .milliseconds(11) && record.slow == .milliseconds(20))
        for _ in 0..<64 { record.add(.milliseconds(500)) }
        #expect(record.median == .milliseconds(500))
    }

    @Test("ranges are joined where that saves requests, and cut apart again", arguments: 0..<30)
    func ranges(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let object = generator.bytes(400_000)
        var ranges: [Range<UInt64>] = []
        var position: UInt64 = 0
        for _ in 0..<20 {
            position += UInt64(Int.random(in: 0...60_000, using: &generator))
            let end = position + UInt64(Int.random(in: 0...30_000, using: &generator))
            ranges.append(position..<end)
            if Bool.random(using: &generator) { position = end }
        }
        func bytes(_ range: Range<UInt64>) -> [UInt8] {
            let lower = min(object.count, Int(range.lowerBound))
            return Array(object[lower..<min(object.count, Int(range.upperBound))])
        }
        let plan = RangePlan(ranges)
        #expect(plan.requests.count <= ranges.count && plan.requests.allSatisfy { !$0.isEmpty })
        let isRight = plan.cut(plan.requests.map(bytes), for: ranges) == ranges.map(bytes)
        #expect(isRight)
    }

    @Test("neighbours share a request, and what lies far apart or is large does not")
    func plan() {
        #expect(RangePlan([0..<10, 10..<20, 1000..<1010]).requests == [0..<1010])
        #expect(RangePlan([0..<10, 100_000..<100_010]).requests.count == 2)
        #expect(RangePlan([0..<(6 << 20), (6 << 20)..<(12 << 20)]).requests.count == 2)
        #expect(RangePlan([5..<5]).requests.isEmpty)
    }

    @Test("keys name packs and notes, and nothing else is taken for one")
    func keys() {
        let keys = RegionKeys(prefix: "a/b")
        let pack = PackID(high: 5, low: 6)
        #expect(keys.pack(ofKey: keys.pack(pack)) == pack)
        for key in [
            "a/b/packs/", "packs/\(pack.hex)", keys.pack(pack) + "0",
            "a/b/packs/" + pack.hex.uppercased().dropLast() + "G",
        ] {
            #expect(keys.pack(ofKey: key) == nil)
        }
        let note = RepairNote(task: .copy, region: "eu-1", pack: pack)
        #expect(keys.repair(ofKey: keys.repair(note), .copy) == note)
        #expect(keys.repair(ofKey: keys.repair(note), .remove) == nil)
        #expect(keys.repair(ofKey: keys.repairs(.copy) + "eu/x", .copy) == nil)
        #expect(keys.pack(ofKey: keys.repair(note)) == nil)
    }

    private func withRegion(_ body: (FakeS3, S3PackRegion) async throws -> Void) async throws {
        let server = try await FakeS3.start()
        let region = try server.configuration("eu").makeRegion(
            wallClock: SystemWallClock(), generator: SeededGenerator(seed: 1))
        try await region.open()
        try await body(server, region)
        try await region.close()
        try await server.stop()
    }

    @Test("a bucket is a region for who reads packs and mends them")
    func region() async throws {
        try await withRegion { server, region in
            let pack = SealedPack([[1, 2, 3], Array(0..<100)], pack: PackID(high: 7, low: 7))
            try await region.store(pack.pack, pack.bytes)
            try await region.store(pack.pack, pack.bytes)
            let size = UInt64(pack.bytes.count)
            #expect(try await region.find(pack.pack) == PackSummary(pack: pack.pack, size: size, isSealed: true))
            #expect(try await region.list().map(\.pack) == [pack.pack])
            var reader = PackReader(region: region, pack: PackSummary(pack: pack.pack, size: size, isSealed: true))
            let frame = await reader.frame(at: pack.locations[1])
            #expect(frame?.isIntact == true)
            try await region.write([9, 9], to: pack.pack, at: 56)
            #expect(try await region.read(pack.pack, [56..<59, 0..<0, size..<size + 5]) == [[9, 9, 3], [], []])
            try await region.write([5], to: pack.pack, at: size + 1)
            #expect(try await region.read(pack.pack, [size..<size + 9]) == [[0, 5]])
            try await region.seal(pack.pack, at: size)
            try await region.truncate(pack.pack, to: size + 5)
            #expect(try await region.find(pack.pack)?.size == size)
            await #expect(throws: StorageError(.corrupt, "")) { try await region.seal(pack.pack, at: size + 1) }
            await #expect(throws: StorageError(.readOnly, "")) { try await region.create(pack.pack) }
            try await region.delete(pack.pack)
            try await region.delete(pack.pack)
            await #expect(throws: StorageError(.notFound, "")) { try await region.read(pack.pack, [0..<1]) }
            await #expect(throws: StorageError(.notFound, "")) { try await region.write([1], to: pack.pack, at: 0) }
            await #expect(throws: StorageError(.notFound, "")) { try await region.seal(pack.pack, at: 0) }
            #expect(server.objects().isEmpty)
        }
    }

    @Test("notes are replaced whole, and a check leaves no pack")
    func notes() async throws {
        try await withRegion { _, region in
            #expect(try await region.loadNote("a") == nil)
            try await region.storeNote([1, 2], "a")
            try await region.storeNote([], "b")
            try await region.storeNote([3], "a")
            #expect(try await region.loadNote("a") == [3])
            #expect(try await region.loadNote("b") == [])
            try await region.check()
            #expect(try await region.list().isEmpty)
        }
    }

    @Test("notes about what regions lack come by the thousand, and go in few requests")
    func repairNotes() async throws {
        try await withRegion { server, region in
            let notes = (0..<1200).map { RepairNote(task: .copy, region: "us", pack: PackID(high: UInt64($0), low: 1)) }
            try await region.keep(notes[0])
            server.state.withLock { state in
                for note in notes { state.bucket.objects[region.keys.repair(note)] = FakeBucket.Object(bytes: []) }
            }
            #expect(try await region.has(notes[5]))
            #expect(try await !region.has(RepairNote(task: .remove, region: "us", pack: notes[5].pack)))
            #expect(Set(try await region.notes(.copy)) == Set(notes))
            #expect(try await region.notes(.remove).isEmpty)
            server.forgetCounts()
            try await region.strike(notes)
            #expect(server.count("all") == 2)
            #expect(try await region.notes(.copy).isEmpty)
        }
    }

    @Test("a range that is answered with other bytes is not believed")
    func wrongRange() async throws {
        try await withRegion { server, region in
            try await region.store(PackID(high: 1, low: 1), Array(0..<100))
            server.fail(.init(fault: .answer(200, "Whole"), method: "GET"))
            await #expect(throws: StorageError.self) { try await region.read(PackID(high: 1, low: 1), [0..<4]) }
        }
    }

    @Test("a closed region refuses everything")
    func closed() async throws {
        try await withRegion { _, region in
            try await region.close()
            try await region.close()
            await #expect(throws: StorageError(.unavailable, "")) { try await region.check() }
        }
    }
}
