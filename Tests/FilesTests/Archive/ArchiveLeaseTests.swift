import Blocks
import Metadata
import Model
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Files

/// Two processes that both believe that the archive is their job: one was frozen and wakes.
@Suite("The archive under a lease")
struct ArchiveLeaseTests {
    private static let one = LeaseHolder(high: 3, low: 1)
    private static let two = LeaseHolder(high: 3, low: 2)

    private func take(_ shop: ArchiveShop, _ holder: LeaseHolder) async throws -> Lease {
        try await shop.shop.database.write { connection throws in
            let queries = LeaseQueries(connection)
            return try #require(try queries.take("archive", by: holder, after: queries.record(of: "archive")))
        }
    }

    @Test("a process that lost the job moves nothing, even what it had appended already")
    func frozen() async throws {
        let shop = try await ArchiveShop()
        let old = text("old", 3000)
        try await shop.supersede("/f", old, by: [1])
        shop.pass(days: 91)
        let former = try await take(shop, Self.one)
        // It freezes after the bytes are in the archive, before a row names them, and another one takes the job.
        let isTaken = Mutex(false)
        var hook = PortHook()
        hook.before = { call in
            guard call == "write", try await !shop.tier.store.packs().isEmpty, !isTaken.withLock({ $0 }) else { return }
            isTaken.withLock { $0 = true }
            _ = try await take(shop, Self.two)
        }
        let context = shop.watched(hook)
        await #expect(throws: LeaseLost(name: "archive")) { try await ArchiveBlocks(context, lease: former)() }
        #expect(isTaken.withLock { $0 })
        let account = shop.ada.account
        #expect(try await !shop.shop.database.read { try ArchiveQueries($0).hasAny(account) })
        #expect(try await shop.shop.database.read { try ArchiveQueries($0).lastRound() } == nil)
        // Its bytes are nobody's: the next holder moves the blocks again.
        let next = try await take(shop, Self.two)
        #expect(try await ArchiveBlocks(shop.context, lease: next)().blocks > 0)
    }

    @Test("a process that lost the job removes no packs and notes none")
    func removes() async throws {
        let shop = try await emptied()
        let former = try await take(shop, Self.one)
        #expect(try await ArchiveBlocks(shop.context, lease: former)().removedPacks == 0)
        shop.pass(days: 1)
        _ = try await take(shop, Self.two)
        await #expect(throws: LeaseLost.self) { try await ArchiveBlocks(shop.context, lease: former)() }
        #expect(try await shop.tier.store.packs().count == 1)
    }

    @Test("what one holder found unnamed the next removes, an hour later")
    func handedOver() async throws {
        let shop = try await emptied()
        let former = try await take(shop, Self.one)
        #expect(try await ArchiveBlocks(shop.context, lease: former)().removedPacks == 0)
        let next = try await take(shop, Self.two)
        shop.shop.clock.advance(by: .seconds(3599))
        #expect(try await ArchiveBlocks(shop.context, lease: next)().removedPacks == 0)
        shop.shop.clock.advance(by: .seconds(1))
        #expect(try await ArchiveBlocks(shop.context, lease: next)().removedPacks == 1)
        #expect(try await shop.shop.database.read { try ArchiveQueries($0).unnamedPacks().count } == 1)
        #expect(try await ArchiveBlocks(shop.context, lease: next)().removedPacks == 0)
        #expect(try await shop.shop.database.read { try ArchiveQueries($0).unnamedPacks().isEmpty })
    }

    @Test("for how long a pack waits can be chosen, but never less than until the next round", arguments: [0, 60])
    func window(seconds: Int) async throws {
        let shop = try await emptied()
        let blocks = ArchiveBlocks(shop.context, packWindow: .seconds(seconds))
        #expect(try await blocks().removedPacks == 0)
        shop.shop.clock.advance(by: .seconds(seconds))
        #expect(try await blocks().removedPacks == 1)
    }

    @Test("a clock that was set back does not make a pack wait for longer than the window")
    func setBack() async throws {
        let shop = try await emptied()
        #expect(try await ArchiveBlocks(shop.context)().removedPacks == 0)
        shop.shop.clock.advance(by: .seconds(-86_400))
        #expect(try await ArchiveBlocks(shop.context)().removedPacks == 0)
        shop.shop.clock.advance(by: .seconds(3600))
        #expect(try await ArchiveBlocks(shop.context)().removedPacks == 1)
    }

    /// A shop with one complete pack in the archive that nothing names.
    private func emptied() async throws -> ArchiveShop {
        let first = try await ArchiveShop()
        let old = text("old", 3000)
        try await first.supersede("/f", old, by: [1])
        first.pass(days: 91)
        _ = try await first.archive()
        try await first.tier.store.close()
        let shop = try await ArchiveShop(after: first, seed: 2)
        try await shop.shop.write("/again", old, by: shop.ada)
        #expect(try await shop.tier.store.packs().map(\.isSealed) == [true])
        return shop
    }
}
