public import Model

/// What a node was at some revision: a state, or gone.
public struct NodeAtRevision: Hashable, Sendable {
    /// The node.
    public let node: NodeID
    /// The revision that gave it the state, or removed it.
    public let revision: Revision
    /// The state; nil when it is gone.
    public let state: NodeState?

    /// Makes an entry of its parts.
    public init(node: NodeID, revision: Revision, state: NodeState?) {
        self.node = node
        self.revision = revision
        self.state = state
    }

    /// Where the entry lies in the order of changes.
    public var position: ChangePosition { ChangePosition(revision: revision, node: node) }
}

/// A place in the order of the changes of a namespace: by revision, then by node.
public struct ChangePosition: Hashable, Comparable, Sendable {
    /// The revision.
    public let revision: Revision
    /// The node.
    public let node: NodeID

    /// Makes a position of its parts.
    public init(revision: Revision, node: NodeID) {
        self.revision = revision
        self.node = node
    }

    /// Reads what ``bytes`` gives; nil for any other length.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 24, let node = NodeID(bytes: bytes[8...]) else { return nil }
        self.init(revision: Revision(bytes[..<8].reduce(0) { $0 << 8 | UInt64($1) }), node: node)
    }

    /// The position in 24 bytes, which order as positions do.
    public var bytes: [UInt8] { [UInt8](bigEndian: revision.number) + node.bytes }

    /// Orders by revision, then by node.
    public static func < (left: Self, right: Self) -> Bool {
        left.revision == right.revision ? left.node < right.node : left.revision < right.revision
    }
}

/// One page of the changes of a namespace.
public struct ChangesSlice: Hashable, Sendable {
    /// The changes, in the order of their positions.
    public let entries: [NodeAtRevision]
    /// Where to go on; nil when there is no more.
    public let next: ChangePosition?

    /// Makes a page of its parts.
    public init(entries: [NodeAtRevision], next: ChangePosition?) {
        self.entries = entries
        self.next = next
    }
}
