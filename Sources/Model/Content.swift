/// Names the bytes of one version of a file by the root of its recipe.
///
/// The recipe is a tree of pages. Level 0 needs no page: the content is one block, and the digest is the block's.
/// From level 1 on the digest is that of the root page: a page of level 1 lists blocks, a page of level n lists
/// pages of level n - 1. The same bytes always give the same recipe, so equal ids mean equal bytes.
public struct ContentID: Hashable, Sendable, CustomStringConvertible {
    /// The height of the tree of pages; 0 for a content of at most one block.
    public let level: UInt8
    /// The hash of the root: of a block at level 0, else of a page.
    public let digest: Digest

    /// Makes an id of its parts.
    public init(level: UInt8, digest: Digest) {
        self.level = level
        self.digest = digest
    }

    /// The one block of a content at level 0; nil above.
    public var block: BlockID? { level == 0 ? BlockID(digest) : nil }

    /// The root page of a content from level 1 on; nil at level 0.
    public var page: PageID? { level == 0 ? nil : PageID(digest) }

    /// `level-hex`, as an entity tag shows it.
    public var description: String { "\(level)-\(digest.hex)" }
}

/// The bytes of one version of a file: their name and their number.
public struct Content: Hashable, Sendable {
    /// The root of the recipe.
    public let id: ContentID
    /// How many bytes there are. A content of 0 bytes has no block.
    public let size: UInt64

    /// Makes a content of its parts.
    public init(id: ContentID, size: UInt64) {
        self.id = id
        self.size = size
    }

    /// No bytes: level 0, the SHA-256 of nothing.
    public static let empty = Content(
        id: ContentID(
            level: 0,
            digest: Digest(
                words: (
                    0xe3b0_c442_98fc_1c14, 0x9afb_f4c8_996f_b924, 0x27ae_41e4_649b_934c, 0xa495_991b_7852_b855
                ))),
        size: 0)
}
