import Blocks
import Metadata
import Model
import Storage
import Synchronization
import TestSupport
import Testing
import WireProtocol

@testable import Files

@Suite("The collector")
struct CollectGarbageTests {
    private let file = SampleFile(random: 3000, seed: 5)
    private let other = SampleFile(random: 2000, seed: 6)

    private func windows(_ world: CollectionWorld) -> CollectGarbage {
        var limits = world.limits
        limits.safetyWindow = .seconds(100)
        limits.packWindow = .seconds(10)
        return world.collector(limits)
    }

    @Test("what is in use is never touched")
    func inUse() async throws {
        let world = try await CollectionWorld()
        try await world.deliver([file.change("f", node: 1)], [file], inline: true)
        try await world.put("/g", other.bytes)
        let before = try await world.inventory()
        for _ in 0..<3 {
            world.clock.advance(by: .seconds(86_400 * 30))
            let report = try await world.collect()
            #expect(report.isIdle, "\(report)")
            #expect(report.accounts == 1 && report.failures.isEmpty)
        }
        let after = try await world.inventory()
        #expect(after.blocks == before.blocks && after.pages == before.pages)
    }

    @Test("what nothing names is condemned at once and removed after the window, and its pack after another")
    func windows() async throws {
        let world = try await CollectionWorld(packSize: 100_000)
        try await world.deliver([file.change("f", node: 1)], [file], inline: true)
        try await world.forget(1, base: 1)
        let next = try await CollectionWorld(try await world.end())
        let collect = windows(next)
        let condemned = try await collect()
        #expect(condemned.condemned == file.blocks.count + file.pages.count)
        #expect(condemned.sweptBlocks == 0 && condemned.packsDoomed == 0)
        next.clock.advance(by: .seconds(99))
        let waiting = try await collect()
        #expect(waiting.waiting == condemned.condemned && waiting.condemned == 0 && waiting.sweptPages == 0)
        next.clock.advance(by: .seconds(1))
        let swept = try await collect()
        #expect(swept.sweptBlocks == file.blocks.count && swept.sweptPages == file.pages.count)
        #expect(swept.packsDoomed == 1 && swept.packsRemoved == 0)
        next.clock.advance(by: .seconds(9))
        #expect(try await collect().packsRemoved == 0)
        next.clock.advance(by: .seconds(1))
        let removed = try await collect()
        #expect(removed.packsRemoved == 1 && removed.bytesFreed > 3000)
        #expect(try await next.store.packs().isEmpty)
        #expect(try await collect().isIdle)
        #expect(try await next.leaks() == [])
    }

    @Test("a version that was not thinned is kept, however old")
    func pastVersions() async throws {
        let world = try await CollectionWorld()
        try await world.deliver([file.change("f", node: 1)], [file], inline: true)
        try await world.deliver([other.change("f", node: 1, base: 1)], [other], inline: true)
        try await world.deliver([NodeChange(node: Ids.node(1), base: Revision(2), state: nil)], [])
        try await world.comeToRest()
        #expect(try await world.faults() == [])
        let inventory = try await world.inventory()
        #expect(inventory.blocks.count == file.blocks.count + other.blocks.count)
    }

    @Test("a version that is thinned while a mark goes on, or shortly before it, counts as kept for that mark")
    func thinnedMeanwhile() async throws {
        let world = try await CollectionWorld()
        let large = SampleFile(random: 14_000, seed: 9)
        try await world.deliver([large.change("f", node: 1)], [large], inline: true)
        try await world.deliver([NodeChange(node: Ids.node(1), base: Revision(1), state: nil)], [])
        try await world.thin()
        #expect(try await world.collect().condemned == 0)
        world.clock.advance(by: .seconds(1))
        #expect(try await world.collect().condemned == large.blocks.count + large.pages.count)
    }

    @Test("the change-set of a pending upload keeps what it names, until the upload ends")
    func pendingUpload() async throws {
        let world = try await CollectionWorld()
        let request = UploadRequest(
            upload: Ids.upload(1), changes: [file.change("f", node: 1)], pages: file.encodedPages)
        #expect(try await world.announce(request).missingBlocks?.count == file.blocks.count)
        _ = try await world.send(Array(file.blocks.dropLast()), for: Ids.upload(1))
        try await world.comeToRest()
        #expect(try await world.inventory().pages.count == file.pages.count)
        #expect(try await world.send([file.blocks.last!], for: Ids.upload(1)).outcome?.revision == 1)
        // Another one that nobody finishes.
        let second = UploadRequest(
            upload: Ids.upload(2), changes: [other.change("g", node: 2)], pages: other.encodedPages)
        _ = try await world.announce(second)
        world.clock.advance(by: .seconds(2 * 86_400))
        #expect(try await ExpireUploads(world.context)() == 1)
        try await world.comeToRest()
        #expect(try await world.leaks() == [])
        #expect(try await world.read("/f") == file.bytes)
    }

    @Test("an account is marked in parts when it has more than fits into memory")
    func parts() async throws {
        let world = try await CollectionWorld()
        for number in 1...6 as ClosedRange<UInt64> {
            let file = SampleFile(random: 3000, seed: 50 + number)
            try await world.deliver([file.change("f\(number)", node: number)], [file], inline: true)
        }
        try await world.forget(6, base: 6)
        let needed = try await world.inventory()
        var limits = world.limits
        limits.live = 20
        limits.visited = 3
        limits.pages = 2
        let collect = world.collector(limits)
        for _ in 0..<6 {
            world.clock.advance(by: .seconds(1))
            _ = try await collect()
        }
        #expect(try await world.faults() == [])
        #expect(try await world.leaks() == [])
        #expect(Set(try await world.inventory().blocks.keys) == needed.neededBlocks)
    }

    @Test("an account whose recipes have a hole is passed over and told of, others are not")
    func hole() async throws {
        let world = try await CollectionWorld()
        let large = SampleFile(random: 14_000, seed: 9)
        try await world.deliver([large.change("f", node: 1)], [large], inline: true)
        try await world.deliver([other.change("g", node: 2)], [other], inline: true)
        try await world.forget(2, base: 2)
        let page = try #require(large.pages.first)
        try await world.raw.write {
            _ = try $0.execute("DELETE FROM page WHERE id = $1", [.blob(page.id.digest.bytes)])
        }
        for _ in 0..<3 {
            world.clock.advance(by: .seconds(1))
            let report = try await world.collect()
            #expect(report.failures.count == 1 && report.condemned == 0 && report.sweptBlocks == 0)
            #expect(report.failures[0].contains("\(page.id)"))
        }
        // The device sends the page again, and all is well.
        try await world.raw.write { [account = world.ada.account] in
            try PageQueries($0).store([(page.id, page.encoded)], account: account)
        }
        try await world.comeToRest()
        #expect(try await world.faults() == [])
        #expect(try await world.leaks() == [])
    }

    @Test("a dry run tells what would be done and does nothing")
    func dryRun() async throws {
        let world = try await CollectionWorld()
        try await world.deliver([file.change("f", node: 1)], [file], inline: true)
        try await world.forget(1, base: 1)
        let would = try await world.collector()(dryRun: true)
        #expect(would.condemned == file.blocks.count + file.pages.count)
        #expect(try await world.inventory().condemned == 0)
        #expect(try await world.collector().lastRun() == nil)
        try await world.collect()
        let sweep = try await world.collector()(dryRun: true)
        #expect(sweep.sweptBlocks == file.blocks.count && sweep.sweptPages == file.pages.count)
        #expect(try await world.inventory().blocks.count == file.blocks.count)
    }

    @Test("a run goes on behind the account where one before it was ended")
    func order() async throws {
        let world = try await CollectionWorld()
        let names = ["bob", "eve", "tom"]
        for name in names {
            _ = try await CreateAccount(
                database: world.raw, keyRing: FixedKeyRing(world.keyRing), clock: world.clock,
                randomness: world.context.randomness, costs: world.context.limits.password)(
                    name: name, password: "correct horse")
        }
        let accounts = try await world.raw.read { try CollectionQueries($0).accounts() }
        #expect(accounts.count == 4)
        // Each account takes longer than a note of the progress is old.
        let steps = Mutex(0)
        let pace = CollectionPace(
            rest: {
                world.clock.advance(by: .seconds(20))
                if steps.withLock({
                    $0 += 1; return $0
                }) == 14 {
                    throw CancellationError()
                }
            }, copied: { _ in })
        await #expect(throws: CancellationError.self) {
            try await CollectGarbage(world.context, limits: world.limits, pace: pace)()
        }
        let last = try await world.raw.read { try CollectionQueries($0).lastAccount() }
        #expect(last.map(accounts.contains) == true)
        let report = try await world.collect()
        #expect(report.accounts == 4)
        #expect(try await world.raw.read { try CollectionQueries($0).lastAccount() } == nil)
    }

    @Test("a run that another one has followed stops with its next change")
    func superseded() async throws {
        let world = try await CollectionWorld()
        try await world.deliver([file.change("f", node: 1)], [file], inline: true)
        try await world.forget(1, base: 1)
        let first = try await world.collector().begin()
        _ = try await world.collector().begin()
        var report = CollectionReport()
        await #expect(throws: CollectionSuperseded.self) {
            try await CollectAccount(turn: first, account: world.ada.account).run(&report)
        }
        #expect(try await world.inventory().condemned == 0)
    }
}
