import Blocks
import Model

/// What a recipe has that an older one, which the server has, has not: the pages and blocks to send.
///
/// Recipes are walked once, in order. What is kept in memory are the names of the old pages, and of the blocks in those
/// that changed: it grows with the pages (1/64 of the blocks) and with the change, not with the file.
struct RecipeSplice: Sendable {
    private var oldPages: Set<PageID> = []
    private var oldBlocks: Set<BlockID> = []

    /// The whole recipe is new.
    init() {}

    /// - Parameters:
    ///   - new: The recipe to send.
    ///   - old: A recipe that the server has; nil for none.
    ///   - recipes: Where both are.
    /// - Throws: ``ClientError`` when the state can't be read.
    init(of new: ContentID, since old: ContentID?, _ recipes: RecipeQueries) throws {
        guard let old else { return }
        if let block = old.block {
            oldBlocks = [block]
            return
        }
        _ = try recipes.forEachPage(of: old) { oldPages.insert($0.id) }
        var kept: Set<PageID> = []
        _ = try recipes.forEachPage(of: new) { if oldPages.contains($0.id) { kept.insert($0.id) } }
        _ = try recipes.forEachPage(of: old) { page in
            if page.level == 1, !kept.contains(page.id) { oldBlocks.formUnion(page.blocks.map(\.block)) }
        }
    }

    func isNew(_ page: RecipePage) -> Bool { !oldPages.contains(page.id) }

    func isNew(_ block: BlockID) -> Bool { !oldBlocks.contains(block) }
}

/// Makes the pages of a recipe from its entries, and says where each block is.
struct PageStream {
    private var builder = RecipeBuilder()
    /// Where the next page of level 1 begins.
    private var offset: UInt64 = 0
    private let splice: RecipeSplice
    /// Pages that were met: a long run of zeros is one page many times over, which travels once.
    private var met: Set<PageID> = []

    /// Pages to send, each after those below it.
    private(set) var pages: [RecipePage] = []
    /// Blocks in them that the server may lack.
    private(set) var blocks: [(entry: RecipeEntry, offset: UInt64)] = []
    /// How many blocks the server has for sure.
    private(set) var known = 0

    init(_ splice: RecipeSplice) {
        self.splice = splice
    }

    /// Plaintext bytes of ``blocks``.
    private(set) var bytes: UInt64 = 0

    /// A content of one block, which needs no page.
    init(block: RecipeEntry) {
        self.init(RecipeSplice())
        blocks = [(block, 0)]
        bytes = UInt64(block.length)
    }

    /// Takes the next entry.
    mutating func append(_ entry: RecipeEntry) {
        var made: [RecipePage] = []
        builder.append(entry) { made.append($0) }
        made.forEach { take($0) }
    }

    /// Makes the last pages.
    /// - Returns: The content that all entries are.
    mutating func finish() -> Content {
        var made: [RecipePage] = []
        let content = builder.finish { made.append($0) }
        made.forEach { take($0) }
        return content
    }

    /// Gives up what has been sent.
    mutating func clear() {
        pages = []
        blocks = []
        bytes = 0
    }

    private mutating func take(_ page: RecipePage) {
        let isNew = splice.isNew(page) && met.insert(page.id).inserted
        if isNew { pages.append(page) } else { known += page.blocks.count }
        guard page.level == 1 else { return }
        if isNew {
            var position = offset
            for entry in page.blocks {
                if splice.isNew(entry.block) {
                    blocks.append((entry, position))
                    bytes += UInt64(entry.length)
                } else {
                    known += 1
                }
                position += UInt64(entry.length)
            }
        }
        offset += page.size
    }
}
