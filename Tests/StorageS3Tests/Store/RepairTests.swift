import Model
import Storage
import Synchronization
import TestSupport
import Testing

@testable import S3Support
@testable import StorageS3

/// Repairs, scans and removals, over regions that come and go.
@Suite struct RepairTests {
    @Test("a scan visits everything and repairs on the way what one region has lost or damaged")
    func scan() async throws {
        try await TwoRegions.with { regions in
            let store = try await regions.open()
            var sample = Sample(seed: 1)
            for _ in 0..<4 { try await sample.append(to: store, count: 5, size: 50...900) }
            let original = regions.near.objects()
            let packs = sample.packs.sorted()
            regions.far.lose(key(packs[0]))
            regions.far.change(key(packs[1])) { $0[70] ^= 4 }
            regions.near.change(key(packs[2])) { $0.removeLast(100) }
            // In the header of the pack, which no record needs.
            regions.near.change(key(packs[3])) { $0[3] ^= 1 }
            let found = try await scanAll(store)
            let expected = sample.acknowledged.map { PackRecord(location: $0.location, state: .intact($0.bytes)) }
            #expect(Set(found) == Set(expected) && found.count == expected.count)
            try await store.note([0], lack: packs[3])
            try await store.repairMissing()
            regions.expectEqual()
            let isOriginal = regions.near.objects() == original
            #expect(isOriginal)
            try await store.close()
        }
    }

    @Test("a scan tells what is damaged everywhere, and keeps the rest in its place")
    func lostRecord() async throws {
        try await TwoRegions.with { regions in
            let store = try await regions.open()
            var sample = Sample(seed: 2)
            try await sample.append(to: store, count: 4, size: 100...200)
            let victim = sample.acknowledged[1].location
            for server in regions.servers { server.change(key(victim.pack)) { $0[Int(victim.offset) + 3] ^= 1 } }
            regions.far.change(key(victim.pack)) { $0[Int(sample.acknowledged[2].location.offset)] ^= 1 }
            let found = try await scanAll(store)
            #expect(found.map(\.location) == sample.acknowledged.map(\.location))
            #expect(found.map { $0.state == .corrupt } == [false, true, false, false])
            try await store.repairMissing()
            regions.expectEqual("also what is damaged is the same")
            try await store.close()
        }
    }

    @Test("a repair puts a good copy in place everywhere, also while somebody else rewrites the pack")
    func inPlace() async throws {
        try await TwoRegions.with { regions in
            let store = try await regions.open()
            var sample = Sample(seed: 3)
            try await sample.append(to: store, count: 3, size: 200...300)
            let original = regions.near.objects()
            for record in sample.acknowledged {
                for server in regions.servers {
                    server.change(key(record.location.pack)) { $0[Int(record.location.offset)] ^= 0x55 }
                }
            }
            let other = try await regions.open()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (place, record) in sample.acknowledged.enumerated() {
                    let store = place == 1 ? other : store
                    group.addTask { try await store.repair(record.location, with: record.bytes) }
                }
                try await group.waitForAll()
            }
            try await sample.verify(in: store)
            let isOriginal = regions.near.objects() == original
            #expect(isOriginal)
            regions.expectEqual()
            try await other.close()
            try await store.close()
        }
    }

    @Test("a rewrite that was carried out while its answer was lost is not taken for another's")
    func lostRewrite() async throws {
        try await TwoRegions.with { regions in
            let store = try await regions.open()
            let location = try await store.append([[1, 2, 3, 4]])[0]
            regions.near.fail(.init(fault: .lostAnswer, times: 1, method: "PUT"))
            try await store.repair(location, with: [4, 3, 2, 1])
            #expect(try await store.read(location) == [4, 3, 2, 1])
            regions.expectEqual()
            try await store.close()
        }
    }

    @Test("a repair with a region away is brought there later")
    func repairWithout() async throws {
        try await TwoRegions.with { regions in
            let store = try await regions.open(minimumCopies: 1)
            let location = try await store.append([[1, 2, 3, 4]])[0]
            regions.far.isDown = true
            try await store.repair(location, with: [9, 9, 9, 9])
            #expect(regions.near.objects("repairs/copy/far/").count == 1)
            regions.far.isDown = false
            try await store.repairMissing()
            regions.expectEqual()
            #expect(try await store.read(location) == [9, 9, 9, 9])
            try await store.close()
        }
    }

    @Test("what was removed with a region away is gone for every process, and goes there when it is back")
    func removal() async throws {
        try await TwoRegions.with { regions in
            let store = try await regions.open(minimumCopies: 1)
            var sample = Sample(seed: 4)
            for _ in 0..<3 { try await sample.append(to: store, size: 10...20) }
            let gone = sample.acknowledged[0].location
            sample.forget(gone.pack)
            regions.far.isDown = true
            try await store.delete(gone.pack)
            await #expect(throws: StorageError(.notFound, "")) { try await store.read(gone) }
            let other = try await regions.open(minimumCopies: 1)
            await #expect(throws: StorageError(.notFound, "")) { try await other.read(gone) }
            #expect(Set(try await other.packs().map(\.pack)) == sample.packs)
            regions.far.isDown = false
            // Who reads it there now makes it come back nowhere.
            try await other.repairMissing()
            _ = try? await other.read(gone)
            try await other.repairMissing()
            regions.expectEqual()
            #expect(Set(regions.far.objects().keys) == Set(sample.packs.map { key($0) }))
            try await sample.verify(in: store)
            try await other.close()
            try await store.close()
        }
    }

    @Test("a removal that no region could be told fails")
    func removalNowhere() async throws {
        try await TwoRegions.with { regions in
            let store = try await regions.open()
            let location = try await store.append([[1]])[0]
            for server in regions.servers { server.isDown = true }
            await #expect(throws: StorageError(.unavailable, "")) { try await store.delete(location.pack) }
            for server in regions.servers { server.isDown = false }
            try await store.repairMissing()
            #expect(try await store.read(location) == [1])
            try await store.close()
        }
    }

    @Test("a repair waits as long as the only good copy can't be reached")
    func sourceAway() async throws {
        try await TwoRegions.with { regions in
            let store = try await regions.open(minimumCopies: 1)
            regions.far.isDown = true
            var sample = Sample(seed: 5)
            try await sample.append(to: store, size: 10...20)
            regions.far.isDown = false
            let other = try await regions.open(minimumCopies: 1)
            // The note is found, and then the region that has the pack goes.
            regions.near.fail(.init(fault: .reset, method: "HEAD", keyPrefix: "packs/"))
            #expect(try await other.repairMissing() == 0)
            #expect(regions.notes.count == 1)
            regions.near.heal()
            #expect(try await other.repairMissing() == 1)
            regions.expectEqual()
            try await other.close()
            try await store.close()
        }
    }

    @Test("a repair that is broken off at any request loses nothing and is done by the next")
    func brokenOff() async throws {
        try await TwoRegions.with { regions in
            let store = try await regions.open(minimumCopies: 1)
            var sample = Sample(seed: 6)
            for prefix in ["packs/", "repairs/"] {
                for method in ["HEAD", "GET", "PUT", "DELETE"] {
                    regions.far.isDown = true
                    for _ in 0..<2 { try await sample.append(to: store) }
                    regions.far.isDown = false
                    for server in regions.servers {
                        server.fail(
                            .init(fault: .answer(500, "InternalError"), times: 4, method: method, keyPrefix: prefix))
                    }
                    _ = try? await store.repairMissing()
                    for server in regions.servers { server.heal() }
                    try await sample.verify(in: store)
                    try await store.repairMissing()
                    try await store.repairMissing()
                    regions.expectEqual("after \(method) of \(prefix)")
                }
            }
            try await store.close()
        }
    }

    @Test("comparing the regions finds what was lost without a note, and leaves alone what may be on its way")
    func differences() async throws {
        try await TwoRegions.with { regions in
            let store = try await regions.open()
            for server in regions.servers { server.state.withLock { $0.bucket.pageSize = 4 } }
            var sample = Sample(seed: 7)
            for _ in 0..<10 { try await sample.append(to: store, size: 10...20) }
            let packs = sample.packs.sorted()
            regions.near.lose(key(packs[2]))
            regions.far.lose(key(packs[7]))
            regions.far.change(key(packs[8])) { $0.removeLast(3) }
            #expect(try await store.noteDifferences(olderThan: .seconds(3600)) == 0)
            #expect(try await store.noteDifferences(olderThan: .zero) == 3)
            #expect(try await store.repairMissing() == 3)
            regions.expectEqual()
            #expect(try await store.noteDifferences(olderThan: .zero) == 0)
            try await store.close()
        }
    }

    @Test("a pack that is stored in parts is copied and rewritten like any other")
    func largePack() async throws {
        try await TwoRegions.with { regions in
            let store = try await regions.open()
            var sample = Sample(seed: 8)
            try await sample.append(to: store, count: 5, size: (4 << 20)...(4 << 20))
            let pack = try #require(sample.packs.first)
            let original = regions.near.objects()
            regions.far.lose(key(pack))
            regions.near.change(key(pack)) { $0[10 << 20] ^= 1 }
            // The only good bytes of that record were lost with the far copy: a good one from elsewhere mends it.
            let victim = try #require(sample.acknowledged.last { $0.location.offset <= 10 << 20 })
            await #expect(throws: StorageError(.corrupt, "")) { try await store.read(victim.location) }
            try await store.repair(victim.location, with: victim.bytes)
            try await store.repairMissing()
            regions.expectEqual()
            let isOriginal = regions.near.objects() == original
            #expect(isOriginal)
            try await store.close()
        }
    }

    @Test("two stores on the same buckets append, read, remove and repair at once without losing anything")
    func twoProcesses() async throws {
        try await TwoRegions.with { regions in
            let stores = [try await regions.open(minimumCopies: 1), try await regions.open(minimumCopies: 1)]
            let samples = try await withThrowingTaskGroup(of: Sample.self) { group in
                for (number, store) in stores.enumerated() {
                    group.addTask {
                        var sample = Sample(seed: UInt64(100 + number))
                        for round in 0..<12 {
                            if number == 0, round == 4 { regions.far.isDown = true }
                            if number == 0, round == 8 { regions.far.isDown = false }
                            try await sample.append(to: store)
                            try await sample.verify(in: stores[1 - number])
                            if round == 3, let pack = sample.packs.min() {
                                try await store.delete(pack)
                                sample.forget(pack)
                            }
                            if round > 7 { try await store.repairMissing() }
                        }
                        return sample
                    }
                }
                var samples: [Sample] = []
                for try await sample in group { samples.append(sample) }
                return samples
            }
            for _ in 0..<3 { for store in stores { try await store.repairMissing() } }
            regions.expectEqual()
            for sample in samples {
                for store in stores { try await sample.verify(in: store) }
            }
            #expect(Set(regions.near.objects().keys) == Set(samples.flatMap(\.packs).map { key($0) }))
            for store in stores { try await store.close() }
        }
    }
}
