import Blocks
import Model
import TestSupport

/// A content's recipe in memory, with its pages, for tests.
struct Recipe {
    let content: Content
    /// The pages in the order they were emitted.
    let pages: [RecipePage]

    init(_ entries: some Sequence<RecipeEntry>) {
        var builder = RecipeBuilder()
        var pages: [RecipePage] = []
        for entry in entries { builder.append(entry) { pages.append($0) } }
        content = builder.finish { pages.append($0) }
        self.pages = pages
    }

    /// The entry that the reference has at an index: its digest is that of `block` and the index.
    static func entry(_ index: Int) -> RecipeEntry {
        let digest = SHA256Hasher.digest(of: Array("block".utf8) + [UInt8](bigEndian: UInt32(index)))
        return RecipeEntry(block: BlockID(digest), length: UInt32(1000 + index % 5000))
    }

    /// Entries as random blocks give them.
    static func entries(_ count: Int, using generator: inout SeededGenerator) -> [RecipeEntry] {
        (0..<count).map { _ in
            let words = (generator.next(), generator.next(), generator.next(), generator.next())
            return RecipeEntry(
                block: BlockID(Digest(words: words)), length: UInt32.random(in: 1...524_288, using: &generator))
        }
    }

    /// Fetches among these recipes' pages, and counts.
    final class Shelf {
        private(set) var fetched: [PageID] = []
        private var pages: [PageID: [UInt8]] = [:]

        struct Missing: Error {}

        init(_ recipes: Recipe...) {
            for page in recipes.flatMap(\.pages) { pages[page.id] = page.encoded }
        }

        subscript(id: PageID) -> [UInt8]? {
            get { pages[id] }
            set { pages[id] = newValue }
        }

        func fetch(_ id: PageID) throws -> [UInt8] {
            fetched.append(id)
            guard let bytes = pages[id] else { throw Missing() }
            return bytes
        }
    }
}
