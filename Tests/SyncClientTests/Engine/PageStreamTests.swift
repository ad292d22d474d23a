import Blocks
import Model
import TestSupport
import Testing

@testable import SyncClient

@Suite("The splice between two recipes")
struct PageStreamTests {
    private func entries(_ count: Int, seed: UInt64) -> [RecipeEntry] {
        var generator = SeededGenerator(seed: seed)
        return (0..<count).map { _ in
            RecipeEntry(
                block: BlockID(SHA256Hasher.digest(of: generator.bytes(16))),
                length: UInt32.random(in: 32_768...524_288, using: &generator))
        }
    }

    /// Notes a recipe in a state of its own, as the reader does.
    private func spool(_ entries: [RecipeEntry], _ database: ClientDatabase) throws -> Content {
        var generator = SeededGenerator(seed: 9)
        var spool = RecipeSpool(database, link: LinkID(rawValue: 1), using: &generator)
        var stream = PageStream(RecipeSplice())
        for entry in entries {
            try spool.append(entry)
            stream.append(entry)
        }
        let content = stream.finish()
        try spool.finish(content.id)
        return content
    }

    private func stream(
        _ entries: [RecipeEntry], _ content: Content, since old: Content?, _ database: ClientDatabase
    ) throws -> PageStream {
        var stream = PageStream(
            try database.read { try RecipeSplice(of: content.id, since: old?.id, RecipeQueries($0)) })
        for entry in entries { stream.append(entry) }
        #expect(stream.finish() == content)
        return stream
    }

    private func open() throws -> (TemporaryDirectory, ClientDatabase) {
        let folder = TemporaryDirectory()
        return (folder, try ClientDatabase(path: folder.appending("state.sqlite")))
    }

    @Test("without an older version all pages and blocks are new, each block at its offset")
    func whole() throws {
        let (folder, database) = try open()
        let list = entries(700, seed: 1)
        let content = try spool(list, database)
        let stream = try stream(list, content, since: nil, database)
        #expect(stream.blocks.map(\.entry) == list)
        var offset: UInt64 = 0
        for (index, block) in stream.blocks.enumerated() {
            #expect(block.offset == offset)
            offset += UInt64(list[index].length)
        }
        #expect(stream.bytes == content.size)
        #expect(stream.pages.last.map { $0.id } == content.id.page)
        withExtendedLifetime(folder) {}
    }

    @Test("each page comes after those below it")
    func order() throws {
        let (folder, database) = try open()
        let list = entries(20_000, seed: 2)
        let content = try spool(list, database)
        #expect(content.id.level >= 2)
        var seen: Set<PageID> = []
        for page in try stream(list, content, since: nil, database).pages {
            #expect(page.children.allSatisfy { seen.contains($0.child) })
            seen.insert(page.id)
        }
        withExtendedLifetime(folder) {}
    }

    @Test("one changed block is one block and one page of each level", arguments: [0, 350, 699])
    func oneBlock(index: Int) throws {
        let (folder, database) = try open()
        let list = entries(700, seed: 3)
        let old = try spool(list, database)
        var edited = list
        edited[index] = entries(1, seed: 99)[0]
        let new = try spool(edited, database)
        let stream = try stream(edited, new, since: old, database)
        #expect(stream.blocks.map(\.entry) == [edited[index]])
        #expect(stream.pages.count <= Int(new.id.level) + 1)
        #expect(stream.known + stream.blocks.count == 700)
        withExtendedLifetime(folder) {}
    }

    @Test("the same content again has nothing new")
    func same() throws {
        let (folder, database) = try open()
        let list = entries(300, seed: 4)
        let content = try spool(list, database)
        let stream = try stream(list, content, since: content, database)
        #expect(stream.blocks.isEmpty && stream.pages.isEmpty)
        #expect(stream.known == 300)
        withExtendedLifetime(folder) {}
    }

    @Test("an older version of one block spares that block")
    func grown() throws {
        let (folder, database) = try open()
        let list = entries(3, seed: 5)
        let first = Content(
            id: ContentID(level: 0, digest: list[0].block.digest), size: UInt64(list[0].length))
        let content = try spool(list, database)
        let stream = try stream(list, content, since: first, database)
        #expect(stream.blocks.map(\.entry) == Array(list[1...]))
        withExtendedLifetime(folder) {}
    }

    @Test("what was sent is given up, and what follows keeps its offsets")
    func cleared() throws {
        let (folder, database) = try open()
        let list = entries(600, seed: 6)
        let content = try spool(list, database)
        var stream = PageStream(RecipeSplice())
        var blocks: [(entry: RecipeEntry, offset: UInt64)] = []
        for entry in list {
            stream.append(entry)
            if stream.bytes > 1 << 20 {
                blocks += stream.blocks
                stream.clear()
                #expect(stream.bytes == 0 && stream.pages.isEmpty)
            }
        }
        #expect(stream.finish() == content)
        blocks += stream.blocks
        #expect(blocks.map(\.entry) == list)
        #expect(blocks.last.map { $0.offset + UInt64($0.entry.length) } == content.size)
        withExtendedLifetime(folder) {}
    }
}
