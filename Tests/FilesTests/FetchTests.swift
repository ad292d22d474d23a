import Blocks
import Files
import Model
import Testing
import WireProtocol

@Suite("Fetching blocks and pages")
struct FetchTests {
    private func committed(_ file: SampleFile, _ number: UInt64, _ shop: Workshop, _ who: Principal) async throws {
        _ = try await shop.upload(
            UploadRequest(
                upload: Ids.upload(number), changes: [file.change("f\(number)", node: number)],
                pages: file.encodedPages,
                blocks: file.blocks), by: who)
    }

    @Test("blocks come back in the order asked, as they were sent")
    func blocks() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let file = SampleFile(random: 20_000, seed: 1)
        try await committed(file, 1, shop, ada)
        let wanted = Array(file.blocks.reversed())
        #expect(try await FetchBlocks(shop.context)(wanted.map(\.id), by: ada).all() == wanted)
        #expect(try await FetchBlocks(shop.context)([], by: ada).all().isEmpty)
        let unknown = SampleFile(random: 10, seed: 9).blocks[0].id
        let error = try await #require(throws: FilesError(.notFound, "")) {
            try await FetchBlocks(shop.context)([wanted[0].id, unknown], by: ada)
        }
        #expect(error.message.contains("\(unknown)"))
    }

    @Test("more blocks than fit one answer are refused")
    func tooMany() async throws {
        var limits = FilesLimits()
        limits.fetchedBytes = 10_000
        let shop = try await Workshop(limits: limits)
        let ada = try await shop.account()
        let file = SampleFile(random: 20_000, seed: 2)
        try await committed(file, 1, shop, ada)
        await #expect(throws: FilesError(.tooLarge, "")) {
            try await FetchBlocks(shop.context)(file.blocks.map(\.id), by: ada)
        }
        #expect(try await FetchBlocks(shop.context)(file.blocks.prefix(5).map(\.id), by: ada).count == 5)
    }

    @Test("the pages of a recipe come without those of the one that the asker has")
    func pages() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let old = SampleFile(random: 80_000, seed: 3)
        var bytes = old.bytes
        bytes[50_000] ^= 1
        let new = SampleFile(bytes)
        try await committed(old, 1, shop, ada)
        try await committed(new, 2, shop, ada)
        let fetch = FetchPages(shop.context)
        let all = try await fetch([.init(want: new.content.id, have: nil)], by: ada)
        #expect(Set(all) == Set(new.encodedPages))
        let splice = try await fetch([.init(want: new.content.id, have: old.content.id)], by: ada)
        #expect(Set(splice).isSuperset(of: Set(new.encodedPages).subtracting(old.encodedPages)))
        #expect(splice.count < all.count / 2)
        let gone = ContentID(level: 1, digest: new.blocks[0].id.digest)
        #expect(try await fetch([.init(want: new.content.id, have: gone)], by: ada) == all)
    }

    @Test("a long answer comes in parts, until the asker has every page")
    func parts() async throws {
        var limits = FilesLimits()
        limits.fetchedPageBytes = 3000
        let shop = try await Workshop(limits: limits)
        let ada = try await shop.account()
        let file = SampleFile(random: 150_000, seed: 4)
        try await committed(file, 1, shop, ada)
        var pages: [PageID: RecipePage] = [:]
        var lacking: [ContentID] = [file.content.id]
        var rounds = 0
        while !lacking.isEmpty {
            let answer = try await FetchPages(shop.context)(
                lacking.map { .init(want: $0, have: nil) }, by: ada)
            for page in try answer.map({ try RecipePage(decoding: $0) }) { pages[page.id] = page }
            lacking = pages.values.flatMap { page in
                page.children.filter { pages[$0.child] == nil }
                    .map { ContentID(level: page.level - 1, digest: $0.child.digest) }
            }
            rounds += 1
            try #require(rounds < 100)
        }
        #expect(rounds > 2)
        #expect(Set(pages.keys) == Set(file.pages.map(\.id)))
    }
}
