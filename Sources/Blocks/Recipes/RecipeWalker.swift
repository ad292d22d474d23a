public import Model

/// Goes through the blocks of a content with pages that can be had at once. For pages that have to be waited for, drive
/// a ``RecipeCursor``.
public struct RecipeWalker {
    /// Makes a walker.
    public init() {}

    /// Calls `body` for each block from an offset on.
    ///
    /// - Parameters:
    ///   - content: What to go through.
    ///   - offset: Where to begin, in bytes: the first block is the one that holds this byte.
    ///   - fetch: The encoded bytes of a page.
    ///   - body: Takes a block and where in the content it begins; false ends the walk.
    /// - Throws: ``BlocksError`` as ``RecipeCursor`` does, and what `fetch` or `body` throws.
    /// - Complexity: O(blocks visited + height); holds one page of each level.
    public func entries(
        of content: Content, from offset: UInt64 = 0, fetch: (PageID) throws -> [UInt8],
        body: (RecipeEntry, UInt64) throws -> Bool
    ) throws {
        var cursor = try RecipeCursor(content, from: offset)
        while true {
            switch cursor.next() {
            case .page(let page): try cursor.supply(fetch(page))
            case .block(let entry, let offset): if try !body(entry, offset) { return }
            case .end: return
            }
        }
    }
}
