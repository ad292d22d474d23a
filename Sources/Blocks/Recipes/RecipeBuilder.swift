public import Model

/// Makes the recipe of a content from its blocks, one after the other, and names the content.
///
/// The same blocks always give the same pages. A page is handed out as soon as it is whole, children before parents,
/// and is then forgotten: the builder holds at most one unfinished page of each level.
public struct RecipeBuilder {
    /// The unfinished page of a level from 2 on.
    private struct Level {
        var pending: [PageEntry] = []
        /// How many entries it got in all: the number of pages of the level below.
        var received = 0
    }

    private var pending: [RecipeEntry] = []
    private var first: RecipeEntry?
    private var count = 0
    private var size: UInt64 = 0
    /// Levels 2, 3 …
    private var upper: [Level] = []

    /// Makes a builder of an empty content.
    public init() {}

    /// Adds the next block.
    /// - Parameters:
    ///   - entry: The block, of 1 to ``BlockLimits/maximumBlockLength`` bytes.
    ///   - emit: Takes the pages that are whole with it.
    public mutating func append(_ entry: RecipeEntry, emit: (RecipePage) throws -> Void) rethrows {
        precondition(entry.length > 0 && entry.length <= BlockLimits.maximumBlockLength, "a block has 1 byte to 1 MiB")
        if count == 0 { first = entry }
        count += 1
        size += UInt64(entry.length)
        pending.append(entry)
        if PageSplit.ends(after: entry.block.digest, count: pending.count) { try closeBlocks(emit) }
    }

    /// Ends the content. Afterwards the builder is as new.
    /// - Parameter emit: Takes the pages that were unfinished, the root last. None for a content of at most one block.
    /// - Returns: The name and the size of the content.
    public mutating func finish(emit: (RecipePage) throws -> Void) rethrows -> Content {
        defer { self = RecipeBuilder() }
        guard let first else { return .empty }
        if count == 1 { return Content(id: ContentID(level: 0, digest: first.block.digest), size: size) }
        if !pending.isEmpty { try closeBlocks(emit) }
        // The root is the only page of the first level that has only one.
        var below = 0
        while upper[below].received > 1 {
            if !upper[below].pending.isEmpty { try closePages(below, emit) }
            below += 1
        }
        let root = upper[below].pending[0].child
        return Content(id: ContentID(level: UInt8(below + 1), digest: root.digest), size: size)
    }

    private mutating func closeBlocks(_ emit: (RecipePage) throws -> Void) rethrows {
        let page = RecipePage(blocks: pending)
        pending.removeAll(keepingCapacity: true)
        try add(page, to: 0, emit)
    }

    private mutating func closePages(_ index: Int, _ emit: (RecipePage) throws -> Void) rethrows {
        let page = RecipePage(level: UInt8(index + 2), pages: upper[index].pending)
        upper[index].pending.removeAll(keepingCapacity: true)
        try add(page, to: index + 1, emit)
    }

    /// Hands a whole page out and lists it one level up.
    private mutating func add(_ page: RecipePage, to index: Int, _ emit: (RecipePage) throws -> Void) rethrows {
        try emit(page)
        if upper.count == index { upper.append(Level()) }
        upper[index].pending.append(PageEntry(child: page.id, size: page.size))
        upper[index].received += 1
        if PageSplit.ends(after: page.id.digest, count: upper[index].pending.count) { try closePages(index, emit) }
    }
}
