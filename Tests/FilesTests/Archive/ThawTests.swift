import Blocks
import Messaging
import Metadata
import Model
import Storage
import StorageConformance
import Synchronization
import TestSupport
import Testing
import WireProtocol

@testable import Files

@Suite("Bringing back from the archive")
struct ThawTests {
    /// A shop in which a file's current bytes lie in the archive, and those of another do not.
    private func shop(_ bytes: [UInt8], limits: ArchiveLimits = ArchiveLimits()) async throws -> ArchiveShop {
        let policy = ArchivePolicy(currentAfter: .seconds(30 * 86_400), keptAfterThaw: .seconds(5 * 86_400))
        let shop = try await ArchiveShop(policy: policy, limits: limits)
        try await shop.shop.write("/cold", bytes, by: shop.ada)
        shop.pass(days: 31)
        try await shop.shop.write("/hot", text("hot", 100), by: shop.ada)
        #expect(try await shop.archive().blocks > 0)
        return shop
    }

    private func thawing(_ shop: ArchiveShop, _ range: Range<UInt64>? = nil) async throws -> FilesError {
        try await #require(throws: FilesError(.thawing, "")) {
            try await shop.shop.read("/cold", range, by: shop.ada)
        }
    }

    @Test("a read asks for the thaw, says how long it takes, and succeeds when it is ready")
    func wholeWay() async throws {
        let bytes = text("cold and long", 60_000)
        let shop = try await shop(bytes)
        let error = try await thawing(shop)
        #expect(error.message == "file /cold lies in the archive: thawing, ready in about 60 min")
        #expect(error.retryAfter == 3601)
        #expect(try await shop.shop.read("/hot", by: shop.ada) == text("hot", 100), "others are not disturbed")
        let first = try await shop.thaw()
        #expect(first.blocks == 0)
        #expect(first.next == shop.shop.clock.now().advanced(by: ArchiveShop.delay))
        shop.shop.clock.advance(by: .seconds(1800))
        #expect(try await thawing(shop).retryAfter == 1801, "asking again does not put it off")
        #expect(try await shop.thaw().ready == 0)
        shop.shop.clock.advance(by: .seconds(1800))
        #expect(try await thawing(shop).retryAfter == 1, "thawed, and to be copied")
        let second = try await shop.thaw()
        #expect(second.ready == 1)
        #expect(second.blocks > 0)
        #expect(second.next == nil)
        #expect(try await shop.shop.read("/cold", by: shop.ada) == bytes)
        #expect(try await shop.thaw() == ThawBlocks.Report(), "there is nothing left to do")
        #expect(shop.tier.counts.current.broughtBack == second.blocks)
    }

    @Test("what is brought back stays for the days that it is kept, and may go again then")
    func kept() async throws {
        let bytes = text("cold", 3000)
        let shop = try await shop(bytes)
        _ = try await thawing(shop)
        shop.shop.clock.advance(by: ArchiveShop.delay)
        #expect(try await shop.thaw().ready == 1)
        shop.pass(days: 5)
        #expect(try await shop.archive().blocks == 0)
        #expect(try await shop.shop.read("/cold", by: shop.ada) == bytes)
        shop.pass(days: 31)
        #expect(try await shop.archive().blocks > 0, "neither kept nor read any more")
        _ = try await thawing(shop)
        shop.shop.clock.advance(by: ArchiveShop.delay)
        #expect(try await shop.thaw().ready == 1)
        #expect(try await shop.shop.read("/cold", by: shop.ada) == bytes)
    }

    @Test("a file of which only the end lies in the archive is not begun")
    func mixed() async throws {
        let bytes = SeededBytes.of(3 << 20, seed: 1)
        let shop = try await shop(bytes)
        _ = try await thawing(shop)
        shop.shop.clock.advance(by: ArchiveShop.delay)
        _ = try await shop.thaw()
        // The last block goes again.
        let blocks = try await shop.blocks(SampleWhole(bytes).content)
        let last = try #require(blocks.last)
        let account = shop.ada.account
        try await shop.shop.database.write { connection in
            let row = try #require(try BlockQueries(connection).locations([last], account: account)[last])
            try connection.execute("UPDATE block SET kept_day = NULL", [])
            let move = BlockMove(from: row, pack: PackID(high: 1, low: 1), offset: 0, length: 1)
            #expect(try ArchiveQueries(connection).archive([move], account: account, today: Day(number: 0)) == 1)
        }
        _ = try await thawing(shop)
        _ = try await thawing(shop, UInt64(bytes.count - 1)..<UInt64(bytes.count))
        #expect(try await shop.shop.read("/cold", 0..<100_000, by: shop.ada) == Array(bytes[..<100_000]))
    }

    @Test("a device's fetch tells which blocks can be had, and brings the others back")
    func fetch() async throws {
        let bytes = text("cold", 3000)
        let shop = try await shop(bytes)
        let cold = try await shop.blocks(SampleWhole(bytes).content)
        let hot = try await shop.blocks(SampleWhole(text("hot", 100)).content)
        let fetch = FetchBlocks(shop.context)
        let error = try await #require(throws: FilesError(.thawing, "")) { try await fetch(cold + hot, by: shop.ada) }
        #expect(error.retryAfter == 3601)
        #expect(try await FindMissingBlocks(shop.context)(cold + hot, by: shop.ada) == cold)
        #expect(try await fetch(hot, by: shop.ada).count == hot.count)
        shop.shop.clock.advance(by: ArchiveShop.delay)
        let report = try await shop.thaw()
        #expect(report.blocks == cold.count)
        #expect(report.ready == cold.count)
        #expect(try await fetch(cold + hot, by: shop.ada).all().map(\.id) == cold + hot)
    }

    @Test("each device that asked is told once, wherever it asked")
    func told() async throws {
        let shop = try await shop(text("cold", 3000))
        let phone = try await shop.shop.logIn().principal
        _ = try await thawing(shop)
        _ = try await thawing(shop)
        await #expect(throws: FilesError(.thawing, "")) { try await shop.shop.read("/cold", by: phone) }
        shop.shop.clock.advance(by: ArchiveShop.delay)
        let queue = ToldQueue()
        #expect(try await ThawBlocks(shop.context, queue: queue)().ready == 2)
        #expect(Set(queue.told.map(\.device)) == [shop.ada.device, phone.device])
        #expect(queue.told.count == 2)
        let subject = EventSubjectID(high: shop.ada.account.high, low: shop.ada.account.low)
        for addition in queue.told {
            #expect(addition.entry == .event(AccountEvent(.restoreReady, subject, at: shop.shop.clock.now())))
        }
        _ = try await ThawBlocks(shop.context, queue: queue)()
        #expect(queue.told.count == 2)
    }

    @Test("a version that is restored is asked back by the server itself")
    func restored() async throws {
        let shop = try await ArchiveShop()
        let old = text("the old bytes", 3000)
        try await shop.supersede("/f", old, by: [1])
        shop.pass(days: 91)
        #expect(try await shop.archive().blocks > 0)
        let content = SampleWhole(old).content
        // As a restore does it: a commit that names a content of the past.
        let home = shop.ada.home
        let tree = TreeCommit(
            context: shop.context, namespace: home, principal: shop.ada, path: RemotePath.root, takesArchived: true)
        _ = try await tree.run(upload: UploadID(high: 3, low: 3)) { connection in
            let node = try #require(try NodeQueries(connection).resolve(try RemotePath("/f"), in: home))
            var state = node.state
            state.payload = .file(content)
            return [NodeChange(node: node.node, base: node.revision, state: state)]
        }
        #expect(try await WarmFiles(shop.context)() == 1)
        #expect(try await WarmFiles(shop.context)() == 0)
        _ = try await shop.thaw()
        shop.shop.clock.advance(by: ArchiveShop.delay)
        #expect(try await shop.thaw().ready == 1)
        #expect(try await shop.shop.read("/f", by: shop.ada) == old)
        #expect(try await shop.coldNeeded().isEmpty)
    }

    @Test("a block that is damaged in the archive is told as such, and not waited for for ever")
    func damaged() async throws {
        let bytes = SeededBytes.of(400_000, seed: 5)
        let shop = try await shop(bytes)
        let (account, ids) = (shop.ada.account, try await shop.blocks(SampleWhole(bytes).content))
        let row = try #require(
            try await shop.shop.database.read { try BlockQueries($0).locations([ids[0]], account: account)[ids[0]] })
        shop.disk.flipBit(of: row.pack, at: row.offset + 30)
        _ = try await thawing(shop)
        shop.shop.clock.advance(by: ArchiveShop.delay)
        let report = try await shop.thaw()
        #expect(report.failed == 1)
        #expect(report.blocks == ids.count - 1, "the others are back")
        await #expect(throws: FilesError(.corruptData, "")) { try await shop.shop.read("/cold", by: shop.ada) }
        let rest = UInt64(bytes.count - 10)..<UInt64(bytes.count)
        #expect(try await shop.shop.read("/cold", rest, by: shop.ada) == Array(bytes.suffix(10)))
    }

    @Test("a server that was started without its archive says so")
    func noArchive() async throws {
        let bytes = text("cold", 3000)
        let shop = try await shop(bytes)
        let bare = FilesContext(
            database: shop.shop.database, store: shop.shop.store, keyRing: FixedKeyRing(shop.shop.keyRing),
            bus: shop.shop.bus, clock: shop.shop.clock, randomness: Randomness(SeededGenerator(seed: 3)),
            workers: shop.context.workers, log: shop.context.log)
        let file = try await ReadFile(bare)(try RemotePath("/cold"), in: shop.ada.home, by: shop.ada)
        let error = try await #require(throws: FilesError(.unavailable, "")) { try await file.read(0..<10) }
        #expect(error.message.contains("archive"))
        let ids = try await shop.blocks(SampleWhole(bytes).content)
        await #expect(throws: FilesError(.unavailable, "")) { try await FetchBlocks(bare)(ids, by: shop.ada) }
    }

    @Test("what was read is noted in one go, a bounded number of blocks, and only the latest day")
    func readLog() async throws {
        let log = ReadLog(capacity: 3)
        let account = AccountID(high: 1, low: 1)
        let blocks = (0..<5).map { number in
            StoredBlock(
                id: BlockID(Digest(words: (UInt64(number), 0, 0, 0))), plainLength: 1, pack: PackID(high: 1, low: 1),
                offset: 0, length: 1)
        }
        log.note(blocks[..<2], of: account)
        log.note(blocks, of: AccountID(high: 2, low: 2))
        #expect(log.take().mapValues(\.count) == [account: 2, AccountID(high: 2, low: 2): 1])
        #expect(log.take().isEmpty)
    }
}

/// Keeps what it is told, and nothing else.
final class ToldQueue: OfflineQueue {
    private let state = Mutex<[QueueAddition]>([])

    var told: [QueueAddition] { state.withLock { $0 } }

    func add(_ additions: [QueueAddition], at moment: Timestamp) async throws {
        state.withLock { $0 += additions }
    }

    func entries(of device: DeviceID, atMost limit: Int) async throws -> QueueDelivery {
        throw QueueError(.unavailable, "only told")
    }

    func acknowledge(_ position: QueuePosition, by device: DeviceID) async throws -> [QueueEntry] { [] }

    func remove(_ devices: [DeviceID], at moment: Timestamp) async throws {}

    func expire(before moment: Timestamp) async throws -> Int { 0 }

    func depth() async throws -> QueueDepth { throw QueueError(.unavailable, "only told") }

    func close() async throws {}
}
