import Blocks
import Files
import Metadata
import Model
import TestSupport
import Testing
import WireProtocol

@Suite("Uploads")
struct UploadTests {
    @Test("small files whose blocks ride along are committed with one request")
    func inline() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let files = (1...20).map { SampleFile(Array("file number \($0)".utf8)) }
        let request = UploadRequest(
            upload: Ids.upload(1),
            changes: files.enumerated().map { $1.change("f\($0)", node: UInt64($0) + 1) },
            blocks: files.flatMap(\.blocks))
        let outcome = try await shop.upload(request, by: ada)
        #expect(outcome.revision == 1)
        #expect(shop.takeNotices() == ["uploaded 1"])
        #expect(try await shop.read("/f7", by: ada) == files[7].bytes)
        #expect(try await shop.head(of: ada).revision == Revision(1))
    }

    @Test("a file is PENDING and told first, then UPLOADED and told again with its last block")
    func fourSteps() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let file = SampleFile(random: 60_000, seed: 1)
        #expect(file.content.id.level >= 2, "the file has to have pages of pages")
        let request = UploadRequest(
            upload: Ids.upload(1), changes: [file.change("big", node: 1)], pages: file.encodedPages)
        let outcome = try await shop.upload(request, by: ada)
        #expect(outcome.missingBlocks == file.blocks.map(\.id))
        #expect(outcome.missingPages == [])
        #expect(shop.takeNotices() == ["pending 0"])
        let pending = try await ListPendingUploads(shop.context)(in: ada.home, by: ada)
        #expect(pending.map(\.name) == [try NodeName("big")])
        #expect(pending.map(\.size) == [60_000])

        let half = file.blocks.count / 2
        let first = try await shop.send(Array(file.blocks[..<half]), for: Ids.upload(1), by: ada)
        #expect(first == .init(added: half, outcome: nil))
        #expect(shop.takeNotices() == [])
        let last = try await shop.send(Array(file.blocks[half...]), for: Ids.upload(1), by: ada)
        #expect(last.outcome?.revision == 1)
        #expect(shop.takeNotices() == ["uploaded 1"])
        #expect(try await shop.read("/big", by: ada) == file.bytes)
        #expect(try await ListPendingUploads(shop.context)(in: ada.home, by: ada).isEmpty)
    }

    @Test("the same request again has the same answer, and nobody is told twice")
    func idempotence() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let file = SampleFile(random: 5000, seed: 2)
        let request = UploadRequest(
            upload: Ids.upload(1), changes: [file.change("f", node: 1)], pages: file.encodedPages)
        let pending = try await shop.upload(request, by: ada)
        #expect(try await shop.upload(request, by: ada) == pending)
        #expect(shop.takeNotices() == ["pending 0"])
        let sent = try await shop.send(file.blocks, for: Ids.upload(1), by: ada)
        // The answer was lost: the device sends both again.
        #expect(try await shop.send(file.blocks, for: Ids.upload(1), by: ada) == .init(added: 0, outcome: sent.outcome))
        #expect(try await shop.upload(request, by: ada) == sent.outcome)
        #expect(shop.takeNotices() == ["uploaded 1"])
        #expect(try await shop.head(of: ada).revision == Revision(1))
    }

    @Test("an edit sends the changed blocks and pages only, and is checked against what is committed")
    func edit() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let old = SampleFile(random: 80_000, seed: 3)
        _ = try await shop.upload(
            UploadRequest(
                upload: Ids.upload(1), changes: [old.change("f", node: 1)], pages: old.encodedPages, blocks: old.blocks),
            by: ada)
        var bytes = old.bytes
        bytes[40_000] ^= 1
        let new = SampleFile(bytes)
        let had = Set(old.pages.map(\.id))
        let request = UploadRequest(
            upload: Ids.upload(2), changes: [new.change("f", node: 1, base: 1)],
            pages: new.pages.filter { !had.contains($0.id) }.map(\.encoded))
        let outcome = try await shop.upload(request, by: ada)
        #expect(request.pages.count < new.pages.count / 2)
        let missing = try #require(outcome.missingBlocks)
        #expect((1...3).contains(missing.count))
        let sent = try await shop.send(
            new.blocks.filter { missing.contains($0.id) }, for: Ids.upload(2), by: ada)
        #expect(sent.outcome?.revision == 2)
        #expect(try await shop.read("/f", by: ada) == bytes)
    }

    @Test("pages that the server lacks are asked for, and nothing commits without them")
    func missingPages() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let file = SampleFile(random: 60_000, seed: 4)
        let leaf = try #require(file.pages.first { $0.level == 1 })
        var request = UploadRequest(
            upload: Ids.upload(1), changes: [file.change("f", node: 1)],
            pages: file.pages.filter { $0.id != leaf.id }.map(\.encoded))
        #expect(try await shop.upload(request, by: ada).missingPages == [leaf.id])
        // All blocks of the file arrive, still it can't commit.
        #expect(try await shop.send(file.blocks, for: Ids.upload(1), by: ada).outcome == nil)
        #expect(shop.takeNotices() == ["pending 0"])
        request.pages = [leaf.encoded]
        #expect(try await shop.upload(request, by: ada).revision == 1)
        #expect(try await shop.read("/f", by: ada) == file.bytes)
    }

    @Test("a large file is announced, streamed in windows and then committed")
    func streaming() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let file = SampleFile(random: 90_000, seed: 5)
        let announcement = UploadRequest(
            upload: Ids.upload(1), complete: false,
            items: [.init(node: Ids.node(1), parent: .root, name: try NodeName("movie"), size: 90_000)])
        #expect(try await shop.upload(announcement, by: ada) == .pending(missingBlocks: [], missingPages: []))
        #expect(shop.takeNotices() == ["pending 0"])
        for window in stride(from: 0, to: file.pages.count, by: 3) {
            let pages = Array(file.pages[window..<min(file.pages.count, window + 3)])
            let missing = try await StorePages(shop.context)(pages.map(\.encoded), of: Ids.upload(1), by: ada)
            let named = pages.flatMap { $0.blocks.map(\.block) }
            #expect(Set(missing) == Set(named))
            _ = try await shop.send(file.blocks.filter { missing.contains($0.id) }, for: Ids.upload(1), by: ada)
        }
        #expect(try await StorePages(shop.context)(file.encodedPages, of: Ids.upload(1), by: ada).isEmpty)
        let finish = UploadRequest(upload: Ids.upload(1), changes: [file.change("movie", node: 1)])
        #expect(try await shop.upload(finish, by: ada).revision == 1)
        #expect(shop.takeNotices() == ["uploaded 1"])
        #expect(try await shop.read("/movie", by: ada) == file.bytes)
        await #expect(throws: FilesError(.conflict, "")) {
            try await StorePages(shop.context)(file.encodedPages, of: Ids.upload(1), by: ada)
        }
    }

    @Test("a page that came with an unfinished upload does not vouch for its blocks")
    func pagesOfTheUnfinished() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let file = SampleFile(random: 60_000, seed: 6)
        _ = try await shop.upload(
            UploadRequest(upload: Ids.upload(1), changes: [file.change("a", node: 1)], pages: file.encodedPages),
            by: ada)
        // Another upload names the same content without sending anything: the pages are there, the blocks are not.
        let second = UploadRequest(upload: Ids.upload(2), changes: [file.change("b", node: 2)])
        #expect(try await shop.upload(second, by: ada).missingBlocks == file.blocks.map(\.id))
    }

    @Test("a refused change names the node, and nothing of the upload is applied")
    func refusal() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let (first, second) = (SampleFile(Array("one".utf8)), SampleFile(Array("two".utf8)))
        _ = try await shop.upload(
            UploadRequest(upload: Ids.upload(1), changes: [first.change("f", node: 1)], blocks: first.blocks), by: ada)
        _ = shop.takeNotices()
        let stale = UploadRequest(
            upload: Ids.upload(2), changes: [second.change("f", node: 1, base: 0), second.change("g", node: 2)],
            blocks: second.blocks)
        let outcome = try await shop.upload(stale, by: ada)
        #expect(outcome.refusals?.map(\.node) == [Ids.node(1)])
        #expect(try await shop.upload(stale, by: ada) == outcome)
        #expect(shop.takeNotices() == [])
        #expect(try await shop.read("/f", by: ada) == first.bytes)
        await #expect(throws: FilesError(.notFound, "")) { try await shop.read("/g", by: ada) }
    }

    @Test("an upload survives the death of the server at any step")
    func restart() async throws {
        let file = SampleFile(random: 20_000, seed: 7)
        let request = UploadRequest(
            upload: Ids.upload(1), changes: [file.change("f", node: 1)], pages: file.encodedPages)
        var shop = try await Workshop()
        let ada = try await shop.account()
        let all = try #require(try await shop.upload(request, by: ada).missingBlocks)
        _ = try await shop.send(Array(file.blocks[..<10]), for: Ids.upload(1), by: ada)
        shop = try await Workshop(after: shop, seed: 2)
        // What was durable is not asked for again.
        #expect(try await shop.upload(request, by: ada).missingBlocks == Array(all[10...]))
        _ = try await shop.send(Array(file.blocks[10..<20]), for: Ids.upload(1), by: ada)
        shop = try await Workshop(after: shop, seed: 3)
        let last = try await shop.send(Array(file.blocks[20...]), for: Ids.upload(1), by: ada)
        #expect(last.outcome?.revision == 1)
        shop = try await Workshop(after: shop, seed: 4)
        #expect(try await shop.upload(request, by: ada) == last.outcome)
        #expect(try await shop.read("/f", by: ada) == file.bytes)
    }

    @Test("an upload whose server died between the last block and the commit is completed by the repeated batch")
    func diedBeforeCallback() async throws {
        struct Dead: UploadCompletion {
            func complete(_ upload: UploadID) async throws -> UploadOutcome { throw CancellationError() }
        }
        let shop = try await Workshop()
        let ada = try await shop.account()
        let file = SampleFile(random: 5000, seed: 8)
        _ = try await shop.upload(
            UploadRequest(upload: Ids.upload(1), changes: [file.change("f", node: 1)], pages: file.encodedPages),
            by: ada)
        await #expect(throws: CancellationError.self) {
            try await StoreBlocks(shop.context, completion: Dead())(file.blocks, for: Ids.upload(1), by: ada)
        }
        let again = try await shop.send(Array(file.blocks.suffix(1)), for: Ids.upload(1), by: ada)
        #expect(again.added == 0)
        #expect(again.outcome?.revision == 1)
    }

    @Test("an upload that nobody finishes expires, and a late block does not revive it")
    func expiry() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let file = SampleFile(random: 5000, seed: 9)
        let request = UploadRequest(
            upload: Ids.upload(1), changes: [file.change("f", node: 1)], pages: file.encodedPages)
        _ = try await shop.upload(request, by: ada)
        _ = shop.takeNotices()
        shop.clock.advance(by: .seconds(23 * 3600))
        #expect(try await ExpireUploads(shop.context)() == 0)
        shop.clock.advance(by: .seconds(2 * 3600))
        #expect(try await ExpireUploads(shop.context)() == 1)
        #expect(shop.takeNotices() == ["pending 0"], "the others look again, and find it gone")
        #expect(try await ListPendingUploads(shop.context)(in: ada.home, by: ada).isEmpty)
        #expect(try await shop.send(Array(file.blocks.dropLast()), for: Ids.upload(1), by: ada).outcome == nil)
        await #expect(throws: FilesError(.conflict, "")) { try await shop.upload(request, by: ada) }
        var fresh = request
        fresh.upload = Ids.upload(2)
        #expect(try await shop.upload(fresh, by: ada).missingBlocks == [file.blocks.last!.id])
        // Long after, its id is forgotten.
        shop.clock.advance(by: .seconds(40 * 86_400))
        try await ExpireUploads(shop.context)()
        #expect(try await shop.database.read { try UploadQueries($0).byID(Ids.upload(1)) } == nil)
    }
}
