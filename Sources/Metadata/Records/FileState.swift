public import Model

/// A state that a node had from one revision to another, with what the journal tells of its beginning and its end.
public struct FileState: Hashable, Sendable {
    /// The revision that began it.
    public let from: Revision
    /// The revision that ended it; nil for the present state.
    public let to: Revision?
    /// Its bytes; nil while the node was no file.
    public let content: Content?
    /// When it began.
    public let began: Timestamp
    /// When it ended; nil for the present state.
    public let ended: Timestamp?
    /// The device that began it.
    public let device: DeviceID
    /// The folder that it was in.
    public let parent: NodeID
    /// The name that it had there.
    public let name: NodeName
    /// Whether a pin lies on it.
    public let isPinned: Bool
    /// Whether its bytes were given up.
    public let isThinned: Bool
}

/// The bytes that a file had in one state.
public struct StateBytes: Hashable, Sendable {
    /// The node.
    public let node: NodeID
    /// The revision that began it.
    public let from: Revision
    /// Whether it is the present state.
    public let isHead: Bool
    /// Whether they are kept.
    public let isKept: Bool
    /// Which bytes.
    public let content: Content
    /// The folder that it was in.
    public let parent: NodeID
}

/// What the rows of blocks of an account add up to.
public struct StoredTotals: Hashable, Sendable {
    /// How many blocks.
    public var blocks: UInt64 = 0
    /// Their bytes of plaintext.
    public var plainBytes: UInt64 = 0
    /// Their sealed bytes, in one region.
    public var sealedBytes: UInt64 = 0

    /// Makes totals of nothing.
    public init() {}

    /// Adds a block.
    public mutating func add(_ block: StoredBlock) {
        blocks += 1
        plainBytes += UInt64(block.plainLength)
        sealedBytes += UInt64(block.length)
    }
}
