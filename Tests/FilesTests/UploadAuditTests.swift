import Blocks
import Metadata
import MetadataSQLite
import Model
import Testing
import WireProtocol

@testable import Files

@Suite("The audit of a change-set")
struct UploadAuditTests {
    private func audit(
        _ changes: [NodeChange], pages: [RecipePage] = [], inline: [EncodedBlock] = [], _ shop: Workshop,
        _ who: Principal
    ) async throws -> UploadAudit.Findings {
        let pages = Dictionary(pages.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let inline = Dictionary(inline.map { ($0.id, $0.length) }, uniquingKeysWith: { first, _ in first })
        return try await shop.database.read { connection in
            try UploadAudit(connection: connection, account: who.account, pages: pages, inline: inline)
                .run(changes, in: who.home)
        }
    }

    private func committed(_ file: SampleFile, _ number: UInt64, _ shop: Workshop, _ who: Principal) async throws {
        _ = try await shop.upload(
            UploadRequest(
                upload: Ids.upload(number), changes: [file.change("f\(number)", node: number)],
                pages: file.encodedPages,
                blocks: file.blocks), by: who)
    }

    @Test("folders, links, removals and empty files need nothing")
    func nothingNeeded() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let findings = try await audit(
            [
                Ids.folder("a", node: 1), NodeChange(node: Ids.node(2), base: Revision(1), state: nil),
                SampleFile([]).change("empty", node: 3),
            ], shop, ada)
        #expect(findings.needed.isEmpty && findings.missing.isEmpty && findings.missingPages.isEmpty)
    }

    @Test("a new file needs all of its blocks, in order, each once")
    func newFile() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let half = SampleFile(random: 20_000, seed: 1)
        let twice = SampleFile(half.bytes + half.bytes)
        let findings = try await audit([twice.change("f", node: 1)], pages: twice.pages, shop, ada)
        #expect(findings.needed == twice.blocks.map(\.id))
        #expect(findings.missing == findings.needed)
        #expect(findings.missingPages.isEmpty)
    }

    @Test("blocks that ride along are not looked for")
    func inline() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let file = SampleFile(random: 20_000, seed: 2)
        let findings = try await audit(
            [file.change("f", node: 1)], pages: file.pages, inline: Array(file.blocks.dropFirst(3)), shop, ada)
        #expect(findings.needed == file.blocks.prefix(3).map(\.id))
    }

    @Test("a move of a committed file needs nothing; a copy of it is looked through")
    func committedContent() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let file = SampleFile(random: 40_000, seed: 3)
        try await committed(file, 1, shop, ada)
        let moved = try await audit([file.change("moved", node: 1, base: 1)], shop, ada)
        #expect(moved.needed.isEmpty)
        let copied = try await audit([file.change("copy", node: 2)], shop, ada)
        #expect(copied.needed == file.blocks.map(\.id))
        #expect(copied.missing.isEmpty && copied.missingPages.isEmpty)
    }

    @Test("an edit needs the blocks of its changed pages only")
    func edit() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let old = SampleFile(random: 200_000, seed: 4)
        try await committed(old, 1, shop, ada)
        var bytes = old.bytes
        bytes.insert(contentsOf: [1, 2, 3], at: 100_000)
        let new = SampleFile(bytes)
        let had = Set(old.pages.map(\.id))
        let fresh = new.pages.filter { !had.contains($0.id) }
        let findings = try await audit([new.change("f1", node: 1, base: 1)], pages: fresh, shop, ada)
        #expect(findings.missingPages.isEmpty)
        #expect(!findings.missing.isEmpty)
        #expect(findings.needed.count < new.blocks.count / 4)
        let known = Set(old.blocks.map(\.id))
        #expect(Set(findings.missing) == Set(new.blocks.map(\.id)).subtracting(known))
    }

    @Test(
        "a file that grew or shrank by levels is compared where it can be",
        arguments: [(3000, 200_000), (200_000, 3000), (200, 200_000), (200_000, 200)])
    func otherHeight(before: Int, after: Int) async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let all = SampleFile(random: 200_000, seed: 5).bytes
        let (old, new) = (SampleFile(Array(all[..<before])), SampleFile(Array(all[..<after])))
        try await committed(old, 1, shop, ada)
        let findings = try await audit([new.change("f1", node: 1, base: 1)], pages: new.pages, shop, ada)
        let known = Set(old.blocks.map(\.id))
        #expect(Set(findings.missing) == Set(new.blocks.map(\.id)).subtracting(known))
    }

    @Test("pages that nobody has are named, and what is below others is still looked for")
    func missingPages() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let file = SampleFile(random: 60_000, seed: 6)
        let leaves = file.pages.filter { $0.level == 1 }
        let findings = try await audit(
            [file.change("f", node: 1)], pages: file.pages.filter { $0.id != leaves[1].id }, shop, ada)
        #expect(findings.missingPages == [leaves[1].id])
        #expect(Set(findings.needed).isSuperset(of: leaves[0].blocks.map(\.block)))
        let none = try await audit([file.change("f", node: 1)], shop, ada)
        #expect(none.missingPages == [file.content.id.page!])
    }

    @Test("a shared page that the parent lists with another size is found, though it is not read")
    func sharedPageWithAnotherSize() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let old = SampleFile(random: 60_000, seed: 7)
        try await committed(old, 1, shop, ada)
        // A root that lists the same children, one of them with a lie about its size.
        let root = old.pages.last!
        var bytes = root.encoded
        let last = bytes.count - 1
        bytes[last] &+= 1
        let forged = try RecipePage(decoding: bytes)
        let content = Content(id: ContentID(level: root.level, digest: forged.id.digest), size: forged.size)
        let change = NodeChange(
            node: Ids.node(1), base: Revision(1),
            state: NodeState(
                parent: .root, name: try NodeName("f1"), payload: .file(content), mode: 0o644,
                modified: Timestamp(nanoseconds: 0)))
        await #expect(throws: FilesError(.invalidPage, "")) { try await audit([change], pages: [forged], shop, ada) }
    }
}
