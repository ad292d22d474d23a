import Blocks
import Model
import TestSupport
import Testing

@Suite("RecipeDifference")
struct RecipeDifferenceTests {
    private func difference(_ new: Recipe, _ old: Recipe?) throws -> (pages: [RecipePage], fetched: Int) {
        let shelf = old.map { Recipe.Shelf(new, $0) } ?? Recipe.Shelf(new)
        let pages = try RecipeDifference.newPages(of: new.content.id, since: old?.content.id, fetch: shelf.fetch)
        return (pages, shelf.fetched.count)
    }

    /// Checks that the answer has what is new, each once, parents first.
    private func expectComplete(_ pages: [RecipePage], _ new: Recipe, _ old: Recipe) {
        let fresh = Set(new.pages).subtracting(old.pages)
        #expect(fresh.subtracting(pages).isEmpty, "new pages are left out")
        #expect(Set(pages).count == pages.count, "a page comes twice")
        #expect(zip(pages, pages.dropFirst()).allSatisfy { $0.level >= $1.level }, "a child comes before its parent")
    }

    @Test("without an older content all pages come, each once, parents first", arguments: [2, 70, 5000])
    func all(count: Int) throws {
        var generator = SeededGenerator(seed: UInt64(count))
        let recipe = Recipe(Recipe.entries(count, using: &generator))
        let (pages, fetched) = try difference(recipe, nil)
        #expect(Set(pages) == Set(recipe.pages))
        #expect(pages.count == recipe.pages.count)
        #expect(fetched == recipe.pages.count)
        #expect(pages.first?.id == recipe.content.id.page)
        #expect(zip(pages, pages.dropFirst()).allSatisfy { $0.level >= $1.level })
    }

    @Test("a page that a content has many times comes once")
    func repeated() throws {
        let entry = RecipeEntry(block: BlockID(Digest(words: (1, 2, 3, 1))), length: 10)
        let recipe = Recipe(repeatElement(entry, count: 256 * 100))
        let (pages, fetched) = try difference(recipe, nil)
        #expect(Set(pages) == Set(recipe.pages))
        #expect(pages.count == Set(recipe.pages).count)
        #expect(fetched == pages.count)
    }

    @Test("equal contents, and contents without pages, have no new pages and nothing is read")
    func nothing() throws {
        let (recipe, one) = (Recipe((0..<300).map(Recipe.entry)), Recipe([Recipe.entry(0)]))
        #expect(try difference(recipe, recipe) == ([], 0))
        #expect(try difference(one, recipe) == ([], 0))
        #expect(try difference(one, nil) == ([], 0))
        #expect(try difference(Recipe([]), recipe) == ([], 0))
    }

    @Test("one block grows to many and back")
    func fromOneBlock() throws {
        let (recipe, one) = (Recipe((0..<300).map(Recipe.entry)), Recipe([Recipe.entry(0)]))
        #expect(try Set(difference(recipe, one).pages) == Set(recipe.pages))
    }

    /// Applies some random edits, of one to three kinds at random places.
    private func edited(_ old: [RecipeEntry], using generator: inout SeededGenerator) -> [RecipeEntry] {
        var new = old
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            let place = Int.random(in: 0..<new.count, using: &generator)
            let end = min(new.count, place + Int.random(in: 1...40, using: &generator))
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: new[place] = Recipe.entries(1, using: &generator)[0]
            case 1: new.insert(contentsOf: Recipe.entries(end - place, using: &generator), at: place)
            case 2: new.append(contentsOf: Recipe.entries(end - place, using: &generator))
            default: if new.count > 100 { new.removeSubrange(place..<end) }
            }
        }
        return new
    }

    @Test("after random edits exactly the new pages come, and few are read", arguments: 0..<40 as Range<UInt64>)
    func edits(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let count = [50, 300, 3000, 12_000][Int(seed % 4)]
        let entries = Recipe.entries(count, using: &generator)
        let (old, new) = (Recipe(entries), Recipe(edited(entries, using: &generator)))
        let (pages, fetched) = try difference(new, old)
        expectComplete(pages, new, old)
        #expect(Set(pages) == Set(new.pages).subtracting(old.pages))
        #expect(pages.count <= 8 * Int(new.content.id.level + 1), "\(pages.count) pages are new")
        #expect(fetched <= 5 * pages.count + 8 * Int(new.content.id.level), "\(fetched) read for \(pages.count) new")
    }

    @Test(
        "edits one after the other: with the new pages a reader can walk each content",
        arguments: 0..<4 as Range<UInt64>)
    func chain(seed: UInt64) throws {
        var generator = SeededGenerator(seed: 900 + seed)
        var entries = Recipe.entries(2000, using: &generator)
        var recipe = Recipe(entries)
        let reader = Recipe.Shelf(recipe)
        for _ in 0..<15 {
            entries = edited(entries, using: &generator)
            let next = Recipe(entries)
            for page in try difference(next, recipe).pages { reader[page.id] = page.encoded }
            var walked: [RecipeEntry] = []
            try RecipeWalker().entries(of: next.content, fetch: reader.fetch) { entry, _ in
                walked.append(entry)
                return true
            }
            #expect(walked == entries)
            recipe = next
        }
    }

    @Test(
        "a large cut reads what is new, not what went",
        arguments: [(0, 300), (0, 40), (29_000, 30_000), (10_000, 10_500), (29_990, 30_000)])
    func cut(from: Int, to: Int) throws {
        var generator = SeededGenerator(seed: 77)
        let entries = Recipe.entries(30_000, using: &generator)
        let (old, new) = (Recipe(entries), Recipe(Array(entries[from..<to])))
        let (pages, fetched) = try difference(new, old)
        expectComplete(pages, new, old)
        #expect(fetched <= 30, "\(fetched) of \(old.pages.count) pages were read for \(new.pages.count)")
    }

    @Test("what is left of a very long content reads a few pages of each level", arguments: [10, 1000], [true, false])
    func remnant(count: Int, atFront: Bool) throws {
        var generator = SeededGenerator(seed: 80)
        let entries = Recipe.entries(200_000, using: &generator)
        let old = Recipe(entries)
        let new = Recipe(atFront ? entries.prefix(count) : entries.suffix(count))
        let (pages, fetched) = try difference(new, old)
        #expect(Set(pages) == Set(new.pages).subtracting(old.pages))
        #expect(old.content.id.level > new.content.id.level)
        #expect(fetched <= 4 * Int(old.content.id.level), "\(fetched) of \(old.pages.count) pages were read")
    }

    @Test("a range taken out of the middle reads only beside it")
    func middle() throws {
        var generator = SeededGenerator(seed: 78)
        let entries = Recipe.entries(200_000, using: &generator)
        let (old, new) = (Recipe(entries), Recipe(Array(entries[..<50_000] + entries[160_000...])))
        let (pages, fetched) = try difference(new, old)
        #expect(Set(pages) == Set(new.pages).subtracting(old.pages))
        #expect(fetched <= 20, "\(fetched) pages were read for \(pages.count) new")
    }

    @Test("growth by many levels needs only what is new", arguments: [5, 100, 1000])
    func growth(count: Int) throws {
        var generator = SeededGenerator(seed: 79)
        let entries = Recipe.entries(20_000, using: &generator)
        let (old, new) = (Recipe(Array(entries[..<count])), Recipe(entries))
        let (pages, _) = try difference(new, old)
        #expect(Set(pages) == Set(new.pages).subtracting(old.pages))
    }

    @Test("a part that moved is not left out, whatever else comes with it", arguments: 0..<6 as Range<UInt64>)
    func moved(seed: UInt64) throws {
        var generator = SeededGenerator(seed: 200 + seed)
        let entries = Recipe.entries(6000, using: &generator)
        let place = Int.random(in: 100..<5000, using: &generator)
        let turned = Array(entries[place...] + entries[..<place])
        let doubled = Array(entries[..<place] + entries[1000..<1500] + entries[place...])
        for changed in [turned, doubled] {
            let (old, new) = (Recipe(entries), Recipe(changed))
            let (pages, _) = try difference(new, old)
            expectComplete(pages, new, old)
            let fresh = Set(new.pages).subtracting(old.pages)
            #expect(pages.count <= 2 * fresh.count + 20, "\(pages.count) pages came for \(fresh.count) new")
        }
    }

    @Test("pages that are not what they should be are refused")
    func corrupt() throws {
        let (old, new) = (Recipe((0..<300).map(Recipe.entry)), Recipe((0..<400).map(Recipe.entry)))
        let shelf = Recipe.Shelf(old, new)
        shelf[new.pages[new.pages.count - 1].id] = old.pages[0].encoded
        #expect(throws: BlocksError(.hashMismatch, "")) {
            try RecipeDifference.newPages(of: new.content.id, since: old.content.id, fetch: shelf.fetch)
        }
        let lie = ContentID(level: new.content.id.level + 1, digest: new.content.id.digest)
        #expect(throws: BlocksError(.corruptPage, "")) {
            try RecipeDifference.newPages(of: lie, since: nil, fetch: Recipe.Shelf(new).fetch)
        }
    }

    @Test("a visitor that fails ends the visit")
    func failing() {
        struct Full: Error {}
        let recipe = Recipe((0..<300).map(Recipe.entry))
        var visits = 0
        #expect(throws: Full.self) {
            try RecipeDifference.visitNewPages(
                of: recipe.content.id, since: nil, fetch: Recipe.Shelf(recipe).fetch
            ) { _ in
                visits += 1
                throw Full()
            }
        }
        #expect(visits == 1)
    }
}
