import Blocks
import Model
import TestSupport
import Testing

@Suite("RecipeWalker and RecipeCursor")
struct RecipeWalkerTests {
    private struct Visit: Equatable {
        let entry: RecipeEntry
        let offset: UInt64
    }

    private func flat(_ entries: [RecipeEntry]) -> [Visit] {
        var offset: UInt64 = 0
        return entries.map { entry in
            defer { offset += UInt64(entry.length) }
            return Visit(entry: entry, offset: offset)
        }
    }

    private func walk(_ recipe: Recipe, from offset: UInt64 = 0, limit: Int = .max) throws -> [Visit] {
        var visits: [Visit] = []
        try RecipeWalker().entries(of: recipe.content, from: offset, fetch: Recipe.Shelf(recipe).fetch) {
            entry, offset in
            visits.append(Visit(entry: entry, offset: offset))
            return visits.count < limit
        }
        return visits
    }

    @Test("a walk gives the entries as they were", arguments: [0, 1, 2, 3, 4, 5, 64, 300, 5000])
    func whole(count: Int) throws {
        var generator = SeededGenerator(seed: UInt64(count))
        let entries = Recipe.entries(count, using: &generator)
        #expect(try walk(Recipe(entries)) == flat(entries))
    }

    @Test("a walk from any offset gives what holds it and all after", arguments: [1, 2, 70, 6000])
    func offsets(count: Int) throws {
        var generator = SeededGenerator(seed: 9 + UInt64(count))
        let entries = Recipe.entries(count, using: &generator)
        let recipe = Recipe(entries)
        let all = flat(entries)
        var offsets = (0..<20).map { _ in UInt64.random(in: 0..<recipe.content.size, using: &generator) }
        offsets += all.suffix(3).flatMap { [$0.offset, $0.offset + UInt64($0.entry.length) - 1] }
        for offset in offsets {
            let expected = all.filter { $0.offset + UInt64($0.entry.length) > offset }
            #expect(try walk(recipe, from: offset) == expected, "from \(offset)")
        }
    }

    @Test("from the end on there is nothing, and nothing is fetched", arguments: [0, 1, 1 << 60] as [UInt64])
    func beyond(more: UInt64) throws {
        let recipe = Recipe((0..<300).map(Recipe.entry))
        let shelf = Recipe.Shelf(recipe)
        try RecipeWalker().entries(of: recipe.content, from: recipe.content.size + more, fetch: shelf.fetch) { _, _ in
            Issue.record("a block beyond the end")
            return true
        }
        #expect(shelf.fetched.isEmpty)
    }

    @Test("a walk ends when it is told to, and has fetched one page a level")
    func stops() throws {
        var generator = SeededGenerator(seed: 3)
        let recipe = Recipe(Recipe.entries(20_000, using: &generator))
        let shelf = Recipe.Shelf(recipe)
        var visits = 0
        try RecipeWalker().entries(of: recipe.content, from: recipe.content.size / 2, fetch: shelf.fetch) { _, _ in
            visits += 1
            return false
        }
        #expect(visits == 1)
        #expect(shelf.fetched.count == Int(recipe.content.id.level))
    }

    @Test("what fails in the callbacks is passed on")
    func failing() {
        struct Stop: Error {}
        let recipe = Recipe((0..<300).map(Recipe.entry))
        #expect(throws: Recipe.Shelf.Missing.self) {
            try RecipeWalker().entries(of: recipe.content, fetch: Recipe.Shelf().fetch) { _, _ in true }
        }
        #expect(throws: Stop.self) {
            try RecipeWalker().entries(of: recipe.content, fetch: Recipe.Shelf(recipe).fetch) { _, _ in throw Stop() }
        }
    }

    @Test("a page with other bytes is refused")
    func wrongPage() throws {
        let recipe = Recipe((0..<300).map(Recipe.entry))
        let shelf = Recipe.Shelf(recipe)
        let leaves = recipe.pages.filter { $0.level == 1 }
        shelf[leaves[1].id] = leaves[0].encoded
        #expect(throws: BlocksError(.hashMismatch, "")) {
            try RecipeWalker().entries(of: recipe.content, fetch: shelf.fetch) { _, _ in true }
        }
    }

    @Test("a content whose size or level is not that of its root is refused")
    func wrongContent() throws {
        let recipe = Recipe((0..<300).map(Recipe.entry))
        let (id, size) = (recipe.content.id, recipe.content.size)
        let lies = [
            Content(id: id, size: size + 1), Content(id: id, size: size - 1),
            Content(id: ContentID(level: id.level + 1, digest: id.digest), size: size),
            Content(id: ContentID(level: 1, digest: id.digest), size: size),
        ]
        for lie in lies {
            #expect(throws: BlocksError(.corruptPage, "")) {
                try RecipeWalker().entries(of: lie, fetch: Recipe.Shelf(recipe).fetch) { _, _ in true }
            }
        }
    }

    @Test("one block longer than any is refused")
    func tooLong() {
        let content = Content(id: ContentID(level: 0, digest: Content.empty.id.digest), size: (1 << 20) + 1)
        #expect(throws: BlocksError(.tooLarge, "")) { try RecipeCursor(content) }
    }

    @Test("a cursor asks for a page until it has it, and takes no other")
    func cursor() throws {
        let recipe = Recipe((0..<3).map(Recipe.entry))
        let other = Recipe((0..<4).map(Recipe.entry))
        var cursor = try RecipeCursor(recipe.content)
        let root = recipe.pages[0]
        #expect(cursor.next() == .page(root.id))
        #expect(throws: BlocksError(.hashMismatch, "")) { try cursor.supply(other.pages[0].encoded) }
        #expect(throws: BlocksError(.corruptPage, "")) { try cursor.supply([1, 2, 3]) }
        #expect(cursor.next() == .page(root.id))
        try cursor.supply(root.encoded)
        #expect(cursor.next() == .block(Recipe.entry(0), offset: 0))
        #expect(cursor.next() == .block(Recipe.entry(1), offset: 1000))
        #expect(cursor.next() == .block(Recipe.entry(2), offset: 2001))
        #expect(cursor.next() == .end)
        #expect(cursor.next() == .end)
    }

    @Test("a cursor can be copied, and the copies go on alone")
    func copies() throws {
        let recipe = Recipe((0..<3).map(Recipe.entry))
        var first = try RecipeCursor(recipe.content)
        _ = first.next()
        try first.supply(recipe.pages[0].encoded)
        var second = first
        #expect(first.next() == .block(Recipe.entry(0), offset: 0))
        #expect(first.next() == .block(Recipe.entry(1), offset: 1000))
        #expect(second.next() == .block(Recipe.entry(0), offset: 0))
    }
}
