/// What a commit does to one node: gives it a state, or removes it. A commit holds at most one change for a node.
public struct NodeChange: Hashable, Sendable {
    /// The node.
    public let node: NodeID
    /// The revision of the node that the writer last saw; ``Revision/zero`` for a node that is new.
    public let base: Revision
    /// The whole new state; nil removes the node. A folder can only be removed when nothing is left in it.
    public let state: NodeState?

    /// Makes a change of its parts.
    public init(node: NodeID, base: Revision, state: NodeState?) {
        self.node = node
        self.base = base
        self.state = state
    }
}

/// Why a commit refused one of its changes. Nothing of a refused commit is applied.
public enum RefusalReason: Hashable, Sendable {
    /// The node has changed since `base`, or is gone (`current` nil), or exists although it was said to be new.
    case stale(current: NodeRecord?)
    /// Another node has that name in that folder.
    case nameTaken(by: NodeID)
    /// The parent does not exist, or is no folder.
    case parentMissing
    /// A folder that is to go still holds nodes.
    case folderNotEmpty
    /// A folder would be within itself.
    case cycle
    /// A folder may not become a file or a link, nor they a folder; the root can't be changed.
    case kindChanged
}

/// One refused change.
public struct Refusal: Hashable, Sendable {
    /// The node whose change was refused.
    public let node: NodeID
    /// Why.
    public let reason: RefusalReason

    /// Makes a refusal of its parts.
    public init(node: NodeID, reason: RefusalReason) {
        self.node = node
        self.reason = reason
    }
}

/// A commit as the journal of a namespace keeps it.
public struct CommitRecord: Hashable, Sendable {
    /// The head that it made.
    public let head: Head
    /// The device that asked for it.
    public let device: DeviceID
    /// The idempotency key.
    public let upload: UploadID
    /// When it was committed, by the server's clock.
    public let time: Timestamp
    /// How many nodes it changed.
    public let changeCount: Int

    /// Makes a record of its parts.
    public init(head: Head, device: DeviceID, upload: UploadID, time: Timestamp, changeCount: Int) {
        self.head = head
        self.device = device
        self.upload = upload
        self.time = time
        self.changeCount = changeCount
    }
}
