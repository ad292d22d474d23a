import Metadata
import Model
import Storage
import StorageConformance
import Synchronization
import TestSupport
import Testing

@testable import Files

@Suite("Compaction and packs")
struct CompactionTests {
    private func pack(_ number: UInt64, size: UInt64, records: Int, bytes: UInt64, isSealed: Bool = true) -> UsedPack {
        UsedPack(
            pack: PackSummary(pack: PackID(high: 1, low: number), size: size, isSealed: isSealed),
            use: PackUse(records: records, bytes: bytes))
    }

    private func plan(_ packs: [UsedPack]) -> [UInt64] {
        CompactionPlan(packs, CollectionLimits()).packs.map(\.pack.pack.low)
    }

    @Test("nothing is copied while little is wasted")
    func enough() {
        #expect(plan([]) == [])
        #expect(plan([pack(1, size: 1080, records: 1, bytes: 900)]) == [])
        #expect(
            plan([pack(1, size: 10_000, records: 10, bytes: 8800), pack(2, size: 10_000, records: 1, bytes: 9944)])
                == [])
    }

    @Test("the emptiest packs are copied first, and no more than it takes")
    func worstFirst() {
        let full = (10..<18).map { pack($0, size: 10_000, records: 1, bytes: 9944) }
        #expect(
            plan(full + [pack(1, size: 10_000, records: 1, bytes: 5000), pack(2, size: 10_000, records: 1, bytes: 44)])
                == [2])
        let half = (10..<20).map { pack($0, size: 10_000, records: 1, bytes: 5000) }
        #expect(plan(half + [pack(1, size: 10_000, records: 1, bytes: 100)]).first == 1)
        #expect(plan(half).count >= 8)
    }

    @Test("packs that grow, or that nothing refers to, are not copied")
    func others() {
        #expect(plan([pack(1, size: 10_000, records: 1, bytes: 10, isSealed: false)]) == [])
        #expect(plan([pack(1, size: 10_000, records: 0, bytes: 0)]) == [])
    }

    private let kept = SampleFile(random: 1500, seed: 61)
    private let garbage = SampleFile(random: 9000, seed: 62)

    /// A world whose sealed pack has little in use.
    private func worn(regions: Int = 1) async throws -> CollectionWorld {
        let world = try await CollectionWorld(packSize: 100_000)
        try await world.deliver(
            [garbage.change("garbage", node: 1), kept.change("kept", node: 2)], [garbage, kept], inline: true)
        try await world.forget(1, base: 1)
        for _ in 0..<2 { try await world.collectAccounts() }
        return try await CollectionWorld(try await world.end(), packSize: 100_000)
    }

    @Test("what is in use is copied as it is, and the pack goes")
    func copies() async throws {
        let world = try await worn()
        let before = try await world.inventory()
        let (old, sealed) = (Set(before.blocks.values.map(\.pack)), before.blocks.mapValues(\.length))
        let report = try await world.collect()
        #expect(report.packsCompacted == 1 && report.packsDoomed == 1 && report.damagedRecords == 0)
        #expect(report.bytesCopied == sealed.values.reduce(0) { $0 + UInt64($1) })
        let after = try await world.inventory()
        #expect(Set(after.blocks.values.map(\.pack)).isDisjoint(with: old))
        #expect(after.blocks.mapValues(\.length) == sealed)
        #expect(try await world.read("/kept") == kept.bytes)
        try await world.comeToRest()
        #expect(try await world.read("/kept") == kept.bytes)
        #expect(try await world.leaks() == [])
        let stored = world.disk.packs.values.reduce(0) { $0 + $1.count }
        #expect(Double(stored) <= 1.15 * Double(after.blocks.values.reduce(56) { $0 + Int($1.length) + 24 }))
    }

    @Test("a damaged record stays where it is and is told of, and its pack is never removed")
    func damaged() async throws {
        let world = try await worn()
        let victim = try #require(try await world.inventory().blocks.values.min { $0.offset < $1.offset })
        world.disk.flipBit(of: victim.pack, at: victim.offset + 3)
        let report = try await world.collect()
        #expect(report.damagedRecords == 1 && report.failures.count == 1)
        let after = try await world.inventory()
        #expect(after.blocks[victim.id] == victim)
        #expect(after.blocks.values.filter { $0.pack == victim.pack }.count == 1)
        for _ in 0..<4 {
            world.clock.advance(by: .seconds(86_400))
            _ = try await world.collect()
        }
        #expect(try await world.store.packs().contains { $0.pack == victim.pack })
        // The disk is better than it was thought to be: nothing was lost.
        world.disk.flipBit(of: victim.pack, at: victim.offset + 3)
        #expect(try await world.read("/kept") == kept.bytes)
    }

    @Test("a full disk stops compaction, and nothing else")
    func full() async throws {
        let world = try await worn()
        world.disk.limit(to: world.disk.packs.values.reduce(0) { $0 + $1.count } + 100)
        let report = try await world.collect()
        #expect(report.packsCompacted == 0 && report.failures.isEmpty)
        #expect(try await world.read("/kept") == kept.bytes)
        world.disk.limit(to: nil)
        try await world.comeToRest()
        #expect(try await world.leaks() == [])
        #expect(try await world.faults() == [])
    }

    @Test("a pack that nothing was noted of goes, like any other")
    func unnoted() async throws {
        let world = try await CollectionWorld(packSize: 100_000)
        _ = try await world.store.append([[UInt8](repeating: 7, count: 500)])
        let next = try await CollectionWorld(try await world.end(), packSize: 100_000)
        #expect(try await next.store.packs().count == 1)
        try await next.comeToRest()
        #expect(try await next.store.packs().isEmpty)
    }

    @Test("a pack that comes back after it was removed is removed again, and refused until it is forgotten")
    func comesBack() async throws {
        let world = try await CollectionWorld(packSize: 100_000)
        let places = try await world.store.append([[UInt8](repeating: 7, count: 500)])
        let before = try await world.end()
        let next = try await CollectionWorld(before, packSize: 100_000)
        let copy = MemoryDisk(copying: next.disk)
        try await next.comeToRest()
        #expect(try await next.store.packs().isEmpty)
        var remains = try await next.end()
        remains = CollectionWorld.Remains(
            database: remains.database, disk: copy, keyRing: remains.keyRing, ada: remains.ada, now: remains.now)
        let last = try await CollectionWorld(remains, packSize: 100_000)
        #expect(try await last.store.packs().count == 1)
        let stale = StoredBlock(
            id: BlockID(Digest(words: (1, 2, 3, 4))), plainLength: 500, pack: places[0].pack, offset: places[0].offset,
            length: 500)
        await #expect(throws: PackRemoved(places[0].pack)) {
            try await last.raw.write { [account = last.ada.account] in
                try BlockQueries($0).record([stale], account: account)
            }
        }
        #expect(try await last.collect().packsRemoved == 1)
        last.clock.advance(by: .seconds(31 * 86_400))
        _ = try await last.collect()
        #expect(try await last.inventory().doomed.isEmpty)
    }

    @Test("compaction copies no faster than it may")
    func pace() async throws {
        let world = try await worn()
        let waited = Mutex(Duration.zero)
        let pace = CollectionPace.bounded(rest: .zero, bytesPerSecond: 100) { time in waited.withLock { $0 += time } }
        let report = try await CollectGarbage(world.context, limits: world.limits, pace: pace)()
        #expect(report.bytesCopied > 1000)
        let seconds = waited.withLock { $0.components.seconds }
        #expect(seconds == Int64(report.bytesCopied / 100))
    }
}
