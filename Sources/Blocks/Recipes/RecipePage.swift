public import Model

/// A node of a recipe's tree: a list of blocks, or of pages of the level below.
///
/// A page is named by the hash of its encoded bytes. Equal names mean equal contents below.
public struct RecipePage: Sendable {
    /// What a page lists.
    public enum Entries: Hashable, Sendable {
        /// Blocks, in a page of level 1.
        case blocks([RecipeEntry])
        /// Pages of the level below, in a page of level 2 or more.
        case pages([PageEntry])
    }

    /// The height of the tree below: 1 for a page that lists blocks.
    public let level: UInt8
    /// What it lists, in the order of the content; never nothing.
    public let entries: Entries
    /// The bytes of content below it.
    public let size: UInt64
    /// The bytes of the page itself.
    public let encoded: [UInt8]
    /// Its name: SHA-256 of ``encoded``.
    public let id: PageID

    /// Makes a page of its parts, which must agree.
    init(level: UInt8, entries: Entries, size: UInt64, encoded: [UInt8]) {
        self.level = level
        self.entries = entries
        self.size = size
        self.encoded = encoded
        id = PageID(SHA256Hasher.digest(of: encoded))
    }

    /// Makes a page of level 1.
    init(blocks: [RecipeEntry]) {
        self.init(
            level: 1, entries: .blocks(blocks), size: blocks.reduce(0) { $0 + UInt64($1.length) },
            encoded: Self.encode(blocks))
    }

    /// Makes a page of level 2 or more.
    init(level: UInt8, pages: [PageEntry]) {
        self.init(
            level: level, entries: .pages(pages), size: pages.reduce(0) { $0 + $1.size },
            encoded: Self.encode(pages, level: level))
    }

    /// The blocks of a page of level 1; none above.
    public var blocks: [RecipeEntry] {
        if case .blocks(let blocks) = entries { blocks } else { [] }
    }

    /// The pages that a page of level 2 or more lists; none at level 1.
    public var children: [PageEntry] {
        if case .pages(let pages) = entries { pages } else { [] }
    }
}

extension RecipePage: Hashable {
    /// Compares the names.
    public static func == (left: Self, right: Self) -> Bool { left.id == right.id }

    /// Hashes the name.
    public func hash(into hasher: inout Hasher) { hasher.combine(id) }
}
