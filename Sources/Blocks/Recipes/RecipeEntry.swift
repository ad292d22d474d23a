public import Model

/// One block of a content, as a page of level 1 lists it.
public struct RecipeEntry: Hashable, Sendable {
    /// The block.
    public let block: BlockID
    /// Its bytes of plaintext, from 1 to ``BlockLimits/maximumBlockLength``.
    public let length: UInt32

    /// Makes an entry of its parts.
    public init(block: BlockID, length: UInt32) {
        self.block = block
        self.length = length
    }
}

/// One page of the level below, as a page of level 2 or more lists it.
public struct PageEntry: Hashable, Sendable {
    /// The page.
    public let child: PageID
    /// The bytes of content below it.
    public let size: UInt64

    /// Makes an entry of its parts.
    public init(child: PageID, size: UInt64) {
        self.child = child
        self.size = size
    }
}
