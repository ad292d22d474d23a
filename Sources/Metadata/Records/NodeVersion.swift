public import Model

/// One version of a node: a state that it had from one revision to another.
public struct NodeVersion: Hashable, Sendable {
    /// The node, the revision that gave it the state, and the state.
    public let record: NodeRecord
    /// The revision that ended it, by another version or by a removal; nil while it is the present one.
    public let ended: Revision?
    /// When its bytes were given up; nil while they are kept.
    public let thinned: Timestamp?

    /// Makes a version of its parts.
    public init(record: NodeRecord, ended: Revision? = nil, thinned: Timestamp? = nil) {
        self.record = record
        self.ended = ended
        self.thinned = thinned
    }

    /// Whether its bytes can still be read.
    public var isKept: Bool { thinned == nil }
}

/// A node that had a path at some time, or at several.
public struct NodeTenure: Hashable, Sendable {
    /// The node.
    public let node: NodeID
    /// The first revision that had it there.
    public let from: Revision
    /// The first revision from which on it was there no more; nil while it is there.
    public let until: Revision?

    /// Makes a tenure of its parts.
    public init(node: NodeID, from: Revision, until: Revision?) {
        self.node = node
        self.from = from
        self.until = until
    }
}

/// A node that is gone.
public struct Deletion: Hashable, Sendable {
    /// What it was at last.
    public let version: NodeVersion
    /// The revision that removed it.
    public let revision: Revision

    /// Makes a deletion of its parts.
    public init(version: NodeVersion, revision: Revision) {
        self.version = version
        self.revision = revision
    }
}

/// One page of what is gone, the newest first.
public struct DeletionSlice: Hashable, Sendable {
    /// The nodes.
    public let entries: [Deletion]
    /// Where to go on; nil when there is no more. It may be there although the page has no entries.
    public let next: ChangePosition?

    /// Makes a page of its parts.
    public init(entries: [Deletion], next: ChangePosition?) {
        self.entries = entries
        self.next = next
    }
}
