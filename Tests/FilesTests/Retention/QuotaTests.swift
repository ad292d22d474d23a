import Files
import Metadata
import Model
import TestSupport
import Testing
import WireProtocol

@Suite("Quotas")
struct QuotaTests {
    private let full = FilesError(.quotaExceeded, "")

    private func setQuota(_ bytes: UInt64?, _ shop: Workshop) async throws {
        _ = try await SetQuota(database: shop.database)(bytes, account: "ada")
        // A limit is heeded after a minute.
        shop.clock.advance(by: .seconds(61))
    }

    private func used(_ shop: Workshop, _ principal: Principal) async throws -> UInt64 {
        try await shop.database.read { try QuotaQueries($0).stored(by: principal.account).sealedBytes }
    }

    @Test("at the limit new bytes are refused by every way in, with what is used and what the limit is")
    func refused() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        try await shop.save("/f", times: 1, every: .zero, size: 10_000, by: ada)
        try await setQuota(10_000, shop)
        let file = SampleFile(random: 3000, seed: 5)
        let inline = UploadRequest(
            upload: Ids.upload(1), changes: [file.change("g", node: 1)], pages: file.encodedPages, blocks: file.blocks)
        await #expect(throws: full) { try await shop.upload(inline, by: ada) }
        var later = inline
        later.blocks = []
        await #expect(throws: full) { try await shop.upload(later, by: ada) }
        await #expect(throws: full) { try await shop.send(file.blocks, by: ada) }
        do {
            try await shop.write("/h", file.bytes, by: ada)
            Issue.record("a full account took a file")
        } catch let error as FilesError {
            #expect(error == full)
            #expect(error.message.contains("9.8 KiB of 9.8 KiB"))
            #expect(error.retryAfter == 600)
        }
        #expect(try await used(shop, ada) < 10_500)
        try await setQuota(nil, shop)
        #expect(try await shop.upload(inline, by: ada).revision != nil)
    }

    @Test("what needs no room is taken: removals, moves, copies of what is there")
    func noRoomNeeded() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let file = SampleFile(random: 3000, seed: 5)
        let request = UploadRequest(
            upload: Ids.upload(1), changes: [file.change("g", node: 1)], pages: file.encodedPages, blocks: file.blocks)
        _ = try await shop.upload(request, by: ada)
        try await setQuota(1, shop)
        let copy = UploadRequest(
            upload: Ids.upload(2), changes: [file.change("copy", node: 2)], pages: file.encodedPages,
            blocks: file.blocks)
        #expect(try await shop.upload(copy, by: ada).revision != nil)
        try await shop.write("/empty", [], by: ada)
        _ = try await MoveNode(shop.context)(from: RemotePath("/copy"), to: RemotePath("/moved"), in: ada.home, by: ada)
        _ = try await RemoveNode(shop.context)(RemotePath("/g"), in: ada.home, by: ada)
        #expect(try await shop.read("/moved", by: ada) == file.bytes)
    }

    @Test("an account goes over its limit by what is on its way, and no further, without a look at the database")
    func counts() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        try await setQuota(10_000, shop)
        var written = 0
        while written < 30 {
            do { try await shop.save("/f\(written)", times: 1, every: .zero, size: 1000, by: ada) } catch let error
                as FilesError
            {
                #expect(error == full)
                break
            }
            written += 1
        }
        #expect((9...10).contains(written))
    }

    @Test("room that others make is seen: soon when something would be refused")
    func room() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        try await shop.save("/f", times: 1, every: .zero, size: 10_000, by: ada)
        try await setQuota(5000, shop)
        await #expect(throws: full) { try await shop.write("/g", [1, 2, 3], by: ada) }
        try await shop.database.write { _ = try $0.execute("DELETE FROM block", []) }
        await #expect(throws: full, "known for ten seconds") { try await shop.write("/g", [1, 2, 3], by: ada) }
        shop.clock.advance(by: .seconds(11))
        try await shop.write("/g", [1, 2, 3], by: ada)
    }

    @Test("an account without a limit is not added up, and others' limits are their own")
    func others() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let eve = try await shop.account("eve", device: "desk")
        try await shop.save("/f", times: 1, every: .zero, size: 10_000, by: ada)
        try await setQuota(5000, shop)
        try await shop.save("/f", times: 3, every: .zero, size: 10_000, by: eve)
        await #expect(throws: full) { try await shop.write("/g", [1], by: ada) }
        await #expect(throws: FilesError(.notFound, "")) {
            try await SetQuota(database: shop.database)(1, account: "bob")
        }
    }
}

@Suite("Versions that go for a quota")
struct RelieveQuotasTests {
    private let keepMany = #"{"ladder":[{"keep":"all"}],"collapse":null,"max_versions":null}"#

    private func filled(policy: String) async throws -> (Workshop, Principal) {
        let shop = try await Workshop()
        let ada = try await shop.account()
        try await shop.setPolicy(policy)
        for name in ["/a", "/b"] { try await shop.save(name, times: 10, every: .seconds(3600), size: 1000, by: ada) }
        shop.clock.advance(by: .seconds(7200))
        return (shop, ada)
    }

    private func relieve(_ quota: UInt64, _ shop: Workshop) async throws -> [RelieveQuotas.Report] {
        _ = try await SetQuota(database: shop.database)(quota, account: "ada")
        return try await RelieveQuotas(database: shop.database, clock: shop.clock)()
    }

    @Test("only an account that is over its quota gives something up, and no more than it has to")
    func relieves() async throws {
        let (shop, ada) = try await filled(policy: keepMany)
        #expect(try await relieve(1_000_000, shop).isEmpty)
        #expect(try await shop.thin().versions == 0)
        let reports = try await relieve(16_000, shop)
        #expect(reports.map(\.account) == [ada.account])
        let kept = try await MeasureUsage(database: shop.database)("ada")
        #expect(kept.needed.sealedBytes <= 15_200 && kept.needed.sealedBytes > 12_000)
        #expect(reports.first?.versions == 20 - kept.versions)
        // Each file gave its part, and keeps its first and its last.
        for (path, ends) in [("/a", (1, 10)), ("/b", (11, 20))] as [(String, (UInt64, UInt64))] {
            let left = try await shop.keptRevisions(path, of: ada)
            #expect(left.first == ends.0 && left.last == ends.1)
            #expect((6...8).contains(left.count))
        }
    }

    @Test("what waits for the collection counts as free: a second round takes nothing more")
    func second() async throws {
        let (shop, _) = try await filled(policy: keepMany)
        _ = try await relieve(16_000, shop)
        let before = try await MeasureUsage(database: shop.database)("ada")
        #expect(before.stored.sealedBytes > 16_000, "nothing was collected")
        #expect(try await relieve(16_000, shop).isEmpty)
        #expect(try await MeasureUsage(database: shop.database)("ada") == before)
    }

    @Test("what must stay does, however small the limit")
    func guards() async throws {
        let (shop, ada) = try await filled(policy: keepMany)
        let node = try await FindNode(shop.context)(RemotePath("/a"), in: ada.home, by: ada).node
        try await shop.pin(node, 5, of: ada)
        try await shop.save("/a", times: 2, every: .seconds(60), size: 1000, by: ada)
        _ = try await relieve(1, shop)
        // The first, the one with the present bytes, the pinned, those that were replaced minutes ago, and the present one.
        let kept = try await shop.keptRevisions("/a", of: ada)
        #expect(kept == [1, 2, 5, 10, 21, 22])
        #expect(try await shop.keptRevisions("/b", of: ada) == [11, 20])
    }

    @Test("deleted files give what is kept of them, when nothing else is enough, but nothing of the last hour")
    func deleted() async throws {
        let (shop, ada) = try await filled(policy: keepMany)
        func node(_ path: String) async throws -> NodeID {
            try await FindNode(shop.context)(RemotePath(path), in: ada.home, by: ada).node
        }
        let (a, b) = (try await node("/a"), try await node("/b"))
        _ = try await RemoveNode(shop.context)(RemotePath("/a"), in: ada.home, by: ada)
        shop.clock.advance(by: .seconds(3600))
        _ = try await RemoveNode(shop.context)(RemotePath("/b"), in: ada.home, by: ada)
        _ = try await relieve(10_000, shop)
        #expect(try await shop.keptRevisions(a, of: ada).first == 1, "others were enough")
        _ = try await relieve(1, shop)
        #expect(try await shop.keptRevisions(a, of: ada) == [])
        #expect(try await shop.keptRevisions(b, of: ada) == [20])
    }

    @Test("a folder that keeps everything gives nothing")
    func keepAll() async throws {
        let (shop, ada) = try await filled(policy: "keep-all")
        let reports = try await relieve(1, shop)
        #expect(reports.map(\.versions) == [0])
        #expect(try await shop.keptRevisions("/a", of: ada).count == 10)
    }

    @Test("blocks that other versions need free nothing, so the version that differs most is not the first to go")
    func ownBytes() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        try await shop.setPolicy(keepMany)
        let base = SampleFile(random: 30_000, seed: 1).bytes
        var random = SeededGenerator(seed: 9)
        var revision: UInt64 = 0
        for number in 0..<6 as Range<UInt64> {
            // Each differs in a little, the fourth in all.
            let bytes = number == 3 ? random.bytes(30_000) : base + random.bytes(2000)
            let file = SampleFile(bytes)
            revision = try #require(
                try await shop.upload(
                    UploadRequest(
                        upload: Ids.upload(number), changes: [file.change("f", node: 1, base: revision)],
                        pages: file.encodedPages, blocks: file.blocks), by: ada
                ).revision)
            shop.clock.advance(by: .seconds(86_400))
        }
        let stored = try await MeasureUsage(database: shop.database)("ada").stored.sealedBytes
        _ = try await relieve(stored - 200, shop)
        let left = try await shop.keptRevisions(Ids.node(1), of: ada)
        #expect(left.contains(4))
    }
}
