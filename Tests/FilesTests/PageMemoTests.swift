import Blocks
import Metadata
import Model
import Synchronization
import TestSupport
import Testing

@testable import Files

/// What is known of pages: each is looked at once, and nothing is taken on trust.
@Suite struct PageMemoTests {
    /// Counts the statements that read pages.
    private struct Counting: MetadataConnection {
        let base: any MetadataConnection
        let pages: Counter

        final class Counter: Sendable {
            private let number = Mutex(0)
            var value: Int { number.withLock { $0 } }
            func add() { number.withLock { $0 += 1 } }
        }

        var dialect: SQLDialect { base.dialect }

        func query(_ sql: String, _ bindings: [SQLValue]) throws -> [SQLRow] {
            if sql.contains("FROM page") { pages.add() }
            return try base.query(sql, bindings)
        }

        func execute(_ sql: String, _ bindings: [SQLValue]) throws -> Int { try base.execute(sql, bindings) }

        func executeMany(_ sql: String, _ rows: [[SQLValue]]) throws -> Int { try base.executeMany(sql, rows) }
    }

    private func filled(_ file: SampleFile) async throws -> (Workshop, Principal) {
        let shop = try await Workshop()
        let ada = try await shop.account()
        try await shop.put("/f", file.bytes, by: ada)
        return (shop, ada)
    }

    private func fault(_ content: Content, _ memo: PageMemo, _ shop: Workshop) async throws -> String? {
        try await shop.database.read { try memo.fault(of: content, $0) }
    }

    @Test("a content is whole, its pages are read once, and all of them were reached")
    func once() async throws {
        let file = SampleFile(random: 80_000, seed: 1)
        let (shop, ada) = try await filled(file)
        let memo = PageMemo(account: ada.account, damage: PackDamage())
        let count = Counting.Counter()
        for _ in 0..<3 {
            let fault = try await shop.database.read { connection in
                try memo.fault(of: file.content, Counting(base: connection, pages: count))
            }
            #expect(fault == nil)
        }
        #expect(count.value == file.pages.count && memo.count == file.pages.count)
        #expect(file.pages.allSatisfy { memo.isReached($0.id) })
        #expect(!memo.isReached(PageID(SHA256Hasher.digest(of: [1]))) && !memo.isBroken)
    }

    @Test("a content that says another size or level of its page is damaged, whichever comes first")
    func shapes() async throws {
        let file = SampleFile(random: 80_000, seed: 2)
        let (shop, ada) = try await filled(file)
        let id = file.content.id
        let wrong = [
            Content(id: id, size: file.content.size + 1),
            Content(id: ContentID(level: id.level + 1, digest: id.digest), size: file.content.size),
        ]
        for isFirst in [true, false] {
            let memo = PageMemo(account: ada.account, damage: PackDamage())
            if !isFirst { #expect(try await fault(file.content, memo, shop) == nil) }
            for content in wrong { #expect(try await fault(content, memo, shop)?.contains("another level") == true) }
            #expect(try await fault(file.content, memo, shop) == nil)
        }
    }

    @Test("damage far below is told for the root, and everything else is reached all the same")
    func deep() async throws {
        let file = SampleFile(random: 80_000, seed: 3)
        let (shop, ada) = try await filled(file)
        let leaf = try #require(file.pages.first { $0.level == 1 })
        let block = try #require(leaf.blocks.first).block
        var damage = PackDamage()
        damage.lostBlocks[OwnedBlock.Key(account: ada.account, id: block)] = "it rained in"
        let memo = PageMemo(account: ada.account, damage: damage)
        #expect(try await fault(file.content, memo, shop) == "block \(block): it rained in")
        #expect(file.pages.allSatisfy { memo.isReached($0.id) } && !memo.isBroken)
        let other = PageMemo(account: AccountID(high: 1, low: 1), damage: PackDamage())
        #expect(try await fault(file.content, other, shop)?.contains("is gone") == true, "pages are the account's own")
        #expect(other.isBroken)
    }

    @Test("a pack that is lost damages all that lies in it")
    func lostPack() async throws {
        let file = SampleFile(random: 5000, seed: 4)
        let (shop, ada) = try await filled(file)
        let place = try #require(try await shop.blocks(of: ada).first)
        var damage = PackDamage()
        damage.lostPacks = [place.pack]
        #expect(damage.cause(OwnedBlock(account: ada.account, block: place))?.contains("\(place.pack)") == true)
        let memo = PageMemo(account: ada.account, damage: damage)
        #expect(try await fault(file.content, memo, shop)?.contains("\(place.pack)") == true)
    }

    @Test("contents without pages: none, one block, one that is too long, one that nobody has")
    func single() async throws {
        let file = SampleFile(Array("short".utf8))
        let (shop, ada) = try await filled(file)
        let memo = PageMemo(account: ada.account, damage: PackDamage())
        #expect(try await fault(.empty, memo, shop) == nil)
        #expect(try await fault(file.content, memo, shop) == nil)
        let long = Content(id: file.content.id, size: 2 << 20)
        #expect(try await fault(long, memo, shop)?.contains("said to be one block") == true)
        #expect(try await fault(Content(id: file.content.id, size: 4), memo, shop)?.contains("5 bytes") == true)
        let none = SampleFile(Array("never sent".utf8))
        #expect(try await fault(none.content, memo, shop)?.contains("has no row") == true)
        #expect(memo.count == 0)
    }

    @Test("the rows of a pack come in batches, each once")
    func rows() async throws {
        let file = SampleFile(random: 250_000, seed: 5)
        let (shop, ada) = try await filled(file)
        let pack = try #require(try await shop.blocks(of: ada).first).pack
        var rows = PackRows(database: shop.database, pack: pack)
        var found: [OwnedBlock] = []
        var batches = 0
        while true {
            let batch = try await rows.next()
            if batch.isEmpty { break }
            batches += 1
            found += batch
        }
        #expect(batches >= 3)
        #expect(Set(found.map(\.key.id)) == Set(file.blocks.map(\.id)) && found.count == file.blocks.count)
        #expect(found.map(\.block.offset) == found.map(\.block.offset).sorted())
        #expect(try await rows.next().isEmpty)
    }

    @Test("a path is found as it was then, and none for what does not lead to the root")
    func paths() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        _ = try await MakeFolder(shop.context)(RemotePath("/a"), in: ada.home, by: ada)
        try await shop.put("/a/f", [1], by: ada)
        let file = try #require(try await shop.versions(of: ada).first)
        let finder = PathFinder(database: shop.database)
        #expect(try await finder.path(of: file.node, in: ada.home, at: Revision(2)) == "/a/f")
        #expect(try await finder.path(of: file.node, in: ada.home, at: Revision(1)) == nil)
        #expect(try await finder.path(of: .root, in: ada.home, at: Revision(1)) == "/")
        try await shop.spoil("UPDATE node SET name = CAST('b' AS BLOB) WHERE kind = 0")
        #expect(try await finder.path(of: file.node, in: ada.home, at: Revision(2)) == "/b/f")
        try await shop.spoil("UPDATE node SET parent = node WHERE kind = 0")
        #expect(try await finder.path(of: file.node, in: ada.home, at: Revision(2)) == nil)
    }
}
