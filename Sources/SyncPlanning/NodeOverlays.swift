public import Model

/// A node as the server has it now, where that differs from the synced tree.
public struct RemoteNode: Hashable, Sendable {
    /// The revision that gave it this state or removed it: the base of the next change.
    public let revision: Revision
    /// The state; nil when it was removed.
    public let state: NodeState?

    /// Makes a remote node of its parts.
    public init(revision: Revision, state: NodeState?) {
        self.revision = revision
        self.state = state
    }
}

/// A node as the scanner found it on disk, where that differs from the synced tree.
public enum LocalNode: Hashable, Sendable {
    /// It is in the tree. For a file the content is that of the bytes on disk, hashed.
    case present(NodeState)
    /// It lies in the parking area, because a plan was interrupted between ``LocalAction/Step/park`` and the move
    /// that was to follow. The placement in the state is the last that it had; it counts as no change by the user.
    case parked(NodeState)
    /// It is gone from the disk.
    case removed

    /// The state on disk; nil when it is gone.
    public var state: NodeState? {
        switch self {
        case .present(let state), .parked(let state): state
        case .removed: nil
        }
    }
}

/// Where a node is: in which folder, by which name.
public struct Placement: Hashable, Sendable {
    /// The folder.
    public var parent: NodeID
    /// The name in it.
    public var name: NodeName

    /// Makes a placement of its parts.
    public init(parent: NodeID, name: NodeName) {
        self.parent = parent
        self.name = name
    }
}

extension NodeState {
    /// Where the node is.
    public var placement: Placement {
        get { Placement(parent: parent, name: name) }
        set { (parent, name) = (newValue.parent, newValue.name) }
    }
}
