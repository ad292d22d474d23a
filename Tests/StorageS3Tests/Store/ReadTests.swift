import Model
import Storage
import Synchronization
import TestSupport
import Testing

@testable import S3Support
@testable import StorageS3

/// Which region answers, and what is done about those that don't.
@Suite struct ReadTests {
    @Test("as long as all goes well only the first region is asked, once for neighbours")
    func first() async throws {
        try await TwoRegions.with { regions in
            let store = try await regions.open(hedgeDelay: .seconds(5))
            var sample = Sample(seed: 1)
            try await sample.append(to: store, count: 20)
            try await sample.verify(in: store)
            #expect(regions.near.count("GET packs") == 1)
            #expect(regions.far.count("GET packs") == 0)
            try await store.close()
        }
    }

    @Test("a read that takes long is asked of the next region too, and the first answer counts")
    func hedged() async throws {
        try await TwoRegions.with { regions in
            let store = try await regions.open(hedgeDelay: .milliseconds(10))
            var sample = Sample(seed: 2)
            try await sample.append(to: store)
            regions.near.fail(.init(fault: .silent, method: "GET"))
            let start = ContinuousClock().now
            try await sample.verify(in: store)
            #expect(start.duration(to: ContinuousClock().now) < .seconds(10))
            #expect(regions.far.count("GET packs") == 1)
            #expect(regions.notes.isEmpty, "slow is not damaged")
            try await store.close()
        }
    }

    @Test("a region that is down is left alone, and asked again once it is back")
    func down() async throws {
        try await TwoRegions.with { regions in
            // A read that is asked of the next region too, on a busy machine, would say nothing of the first.
            let store = try await regions.open(hedgeDelay: .seconds(30))
            var sample = Sample(seed: 3)
            try await sample.append(to: store)
            regions.near.isDown = true
            for _ in 0..<3 { try await sample.verify(in: store) }
            #expect(store.regions[0].isDown)
            regions.near.isDown = false
            regions.near.forgetCounts()
            try await sample.verify(in: store)
            #expect(regions.near.count("GET packs") == 0)
            try await store.repairMissing()
            #expect(!store.regions[0].isDown)
            try await sample.verify(in: store)
            #expect(regions.near.count("GET packs") == 1)
            #expect(regions.notes.isEmpty, "a region that could not be asked lacks nothing")
            try await store.close()
        }
    }

    @Test("what one region has lost or damaged comes from the other, is noted once, and is repaired")
    func damaged() async throws {
        try await TwoRegions.with { regions in
            let store = try await regions.open()
            var sample = Sample(seed: 4)
            for _ in 0..<3 { try await sample.append(to: store, size: 10...900) }
            let packs = sample.packs.sorted()
            regions.near.lose(key(packs[0]))
            regions.near.change(key(packs[1])) { $0[60] ^= 1 }
            regions.near.change(key(packs[2])) { $0.removeLast(5) }
            for _ in 0..<3 { try await sample.verify(in: store) }
            #expect(regions.notes == Set(packs.map { "repairs/copy/near/\($0.hex)" }))
            #expect(regions.far.count("PUT repairs") == 3)
            #expect(try await store.repairMissing() == 3)
            regions.expectEqual()
            #expect(store.statistics.repairedPacks == 3)
            try await store.close()
        }
    }

    @Test("records that are damaged in different regions are put together")
    func bothDamaged() async throws {
        try await TwoRegions.with { regions in
            let store = try await regions.open()
            var sample = Sample(seed: 5)
            try await sample.append(to: store, count: 4, size: 100...200)
            let pack = try #require(sample.packs.first)
            let original = regions.near.objects()
            regions.near.change(key(pack)) { $0[Int(sample.acknowledged[0].location.offset)] ^= 1 }
            regions.far.change(key(pack)) { $0[Int(sample.acknowledged[3].location.offset)] ^= 1 }
            try await sample.verify(in: store)
            try await store.repairMissing()
            regions.expectEqual()
            let isOriginal = regions.near.objects() == original
            #expect(isOriginal)
            try await store.close()
        }
    }

    @Test(
        "what is damaged everywhere is corrupt, what is nowhere is not found, and what may be somewhere is unavailable")
    func codes() async throws {
        try await TwoRegions.with { regions in
            let store = try await regions.open()
            let location = try await store.append([[1, 2, 3]])[0]
            for server in regions.servers { server.change(key(location.pack)) { $0[57] ^= 1 } }
            await #expect(throws: StorageError(.corrupt, "")) { try await store.read(location) }
            regions.near.lose(key(location.pack))
            regions.far.isDown = true
            await #expect(throws: StorageError(.unavailable, "")) { try await store.read(location) }
            regions.far.isDown = false
            try await store.repairMissing()
            regions.far.lose(key(location.pack))
            await #expect(throws: StorageError(.notFound, "")) { try await store.read(location) }
            #expect(regions.notes.isEmpty)
            try await store.close()
        }
    }

    @Test("packs by the dozen are read together, and one that is missing fails the call")
    func many() async throws {
        try await TwoRegions.with { regions in
            let store = try await regions.open()
            var sample = Sample(seed: 6)
            for _ in 0..<30 { try await sample.append(to: store, count: 2) }
            try await sample.verify(in: store)
            for server in regions.servers { server.lose(key(sample.acknowledged[40].location.pack)) }
            await #expect(throws: StorageError(.notFound, "")) {
                try await store.read(sample.acknowledged.map(\.location))
            }
            try await store.close()
        }
    }

    @Test("the region that is much faster is asked first")
    func fastest() async throws {
        try await TwoRegions.with { regions in
            let store = try await regions.open(hedgeDelay: .seconds(5))
            #expect(store.readingOrder == [0, 1])
            for (index, latency) in [(0, 40), (1, 10)] {
                for _ in 0..<20 { store.regions[index].state.withLock { $0.latency.add(.milliseconds(latency)) } }
            }
            #expect(store.readingOrder == [1, 0])
            for _ in 0..<64 { store.regions[0].state.withLock { $0.latency.add(.milliseconds(12)) } }
            #expect(store.readingOrder == [0, 1])
            regions.near.isDown = true
            for _ in 0..<3 { _ = try? await store.regions[0].find(PackID(high: 1, low: 1)) }
            #expect(store.readingOrder == [1, 0])
            try await store.close()
        }
    }
}
