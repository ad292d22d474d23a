import Blocks
import Model
import TestSupport
import Testing

@Suite("RecipeBuilder")
struct RecipeBuilderTests {
    @Test("contents and pages are those of the reference", arguments: Golden.lines("recipes.txt"))
    func golden(line: String) {
        let words = line.split(separator: " ").map(String.init)
        let recipe = Recipe((0..<(Int(words[0]) ?? 0)).map(Recipe.entry))
        #expect(recipe.content.id.description == "\(words[1])-\(words[2])")
        #expect(String(recipe.content.size) == words[3])
        #expect(String(recipe.pages.count) == words[4])
        let sorted = recipe.pages.map(\.encoded).sorted { $0.lexicographicallyPrecedes($1) }
        #expect(SHA256Hasher.digest(of: Array(sorted.joined())).hex == words[5])
    }

    @Test("no block is the empty content, one block needs no page")
    func small() {
        #expect(Recipe([]).content == .empty)
        let one = Recipe([Recipe.entry(7)])
        #expect(one.pages.isEmpty)
        #expect(one.content.id.block == Recipe.entry(7).block)
        #expect(one.content.size == 1007)
    }

    @Test("children come before parents, the root last, and all are used", arguments: [2, 60, 500, 9000])
    func order(count: Int) {
        var generator = SeededGenerator(seed: UInt64(count))
        let recipe = Recipe(Recipe.entries(count, using: &generator))
        var seen: Set<PageID> = []
        for page in recipe.pages {
            #expect(page.children.allSatisfy { seen.contains($0.child) })
            seen.insert(page.id)
        }
        #expect(recipe.pages.last?.id == recipe.content.id.page)
        #expect(recipe.pages.last?.size == recipe.content.size)
        let listed = Set(recipe.pages.flatMap { $0.children.map(\.child) })
        #expect(listed.count == recipe.pages.count - 1)
    }

    @Test("every page can be read again, so no page goes on after its end")
    func canonical() throws {
        var generator = SeededGenerator(seed: 5)
        for page in Recipe(Recipe.entries(20_000, using: &generator)).pages {
            #expect(try RecipePage(decoding: page.encoded).entries == page.entries)
        }
    }

    @Test("pages have about 64 entries")
    func mean() {
        var generator = SeededGenerator(seed: 6)
        let recipe = Recipe(Recipe.entries(50_000, using: &generator))
        let leaves = recipe.pages.filter { $0.level == 1 }
        #expect((58...74).contains(50_000 / leaves.count))
        #expect(leaves.dropLast().allSatisfy { (4...256).contains($0.blocks.count) })
    }

    @Test("blocks that all end a page still make a tree that narrows")
    func allEnd() {
        let entry = RecipeEntry(block: BlockID(Digest(words: (1, 2, 3, 0))), length: 10)
        let recipe = Recipe(repeatElement(entry, count: 5000))
        #expect(recipe.content.size == 50_000)
        #expect(recipe.content.id.level <= 7)
        #expect(Set(recipe.pages.filter { $0.level == 1 }).count == 1)
    }

    @Test("equal blocks that end no page are cut at 256")
    func noneEnds() {
        let entry = RecipeEntry(block: BlockID(Digest(words: (1, 2, 3, 1))), length: 10)
        let recipe = Recipe(repeatElement(entry, count: 1000))
        #expect(recipe.pages.filter { $0.level == 1 }.map(\.blocks.count) == [256, 256, 256, 232])
    }

    @Test("a content that ends where a page does has no empty page behind it")
    func exactEnd() {
        let (open, end) = (Digest(words: (1, 2, 3, 1)), Digest(words: (1, 2, 3, 0)))
        let entries = [open, open, open, end].map { RecipeEntry(block: BlockID($0), length: 1) }
        let recipe = Recipe(entries)
        #expect(recipe.pages.count == 1)
        #expect(recipe.content.id.level == 1)
        #expect(Recipe(entries + entries).content.id.level == 2)
    }

    @Test("after the end the builder is as new")
    func reuse() {
        var builder = RecipeBuilder()
        var contents: [Content] = []
        for _ in 0..<2 {
            for index in 0..<700 { builder.append(Recipe.entry(index)) { _ in } }
            contents.append(builder.finish { _ in })
        }
        #expect(contents[0] == contents[1])
        #expect(builder.finish { _ in } == .empty)
    }

    @Test("what fails in the taker of pages is passed on")
    func failing() {
        struct Full: Error {}
        var builder = RecipeBuilder()
        #expect(throws: Full.self) {
            for index in 0..<300 { try builder.append(Recipe.entry(index)) { _ in throw Full() } }
        }
    }

    @Test("an edit changes a few pages of each level", arguments: 0..<12 as Range<UInt64>)
    func edits(seed: UInt64) {
        var generator = SeededGenerator(seed: 50 + seed)
        let old = Recipe.entries(20_000, using: &generator)
        var new = old
        let place = Int.random(in: 0..<old.count, using: &generator)
        switch seed % 3 {
        case 0: new[place] = Recipe.entries(1, using: &generator)[0]
        case 1: new.insert(contentsOf: Recipe.entries(2, using: &generator), at: place)
        default: new.remove(at: place)
        }
        let (before, after) = (Recipe(old), Recipe(new))
        let fresh = Set(after.pages).subtracting(before.pages)
        #expect(before.content.id != after.content.id)
        #expect((1...(4 * Int(after.content.id.level))).contains(fresh.count), "\(fresh.count) pages are new")
    }

    @Test("a recipe of a million entries never holds more than one unfinished page of a level")
    func million() {
        var generator = SeededGenerator(seed: 8)
        var builder = RecipeBuilder()
        var received = [Int](repeating: 0, count: 8)
        var made = [Int](repeating: 0, count: 8)
        var greatest = 0
        func take(_ page: RecipePage) {
            let level = Int(page.level)
            made[level] += 1
            received[level] += level == 1 ? page.blocks.count : page.children.count
        }
        let entry = Recipe.entry(0)
        for index in 0..<1_000_000 {
            let words = (generator.next(), UInt64(index), UInt64(0), generator.next())
            builder.append(RecipeEntry(block: BlockID(Digest(words: words)), length: entry.length), emit: take)
            // What a level was given is what the level below made; the blocks themselves are level 0.
            made[0] += 1
            var held = 0
            for level in 1...5 { held += made[level - 1] - received[level] }
            greatest = max(greatest, held)
        }
        let content = builder.finish(emit: take)
        #expect(content.size == 1_000_000 * UInt64(entry.length))
        #expect(received[1] == 1_000_000)
        #expect(received[2] == made[1])
        #expect(made[Int(content.id.level)] == 1)
        #expect(greatest < 256 * Int(content.id.level), "\(greatest) entries were held")
    }
}
