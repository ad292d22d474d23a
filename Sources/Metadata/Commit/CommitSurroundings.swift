public import Model

/// A place in a tree: a name in a folder.
public struct NodePlace: Hashable, Sendable {
    /// The folder.
    public let parent: NodeID
    /// The name.
    public let name: NodeName

    /// Makes a place of its parts.
    public init(parent: NodeID, name: NodeName) {
        self.parent = parent
        self.name = name
    }
}

/// The last that a namespace knows of a node.
public struct NodeHistory: Hashable, Sendable {
    /// Its newest state.
    public let latest: NodeRecord
    /// The revision that removed it; nil while it is there.
    public let removed: Revision?

    /// Makes a history of its parts.
    public init(latest: NodeRecord, removed: Revision?) {
        self.latest = latest
        self.removed = removed
    }

    /// The record of the node; nil when it is gone.
    public var current: NodeRecord? { removed == nil ? latest : nil }
}

/// What ``CommitValidation`` has to know of the tree that a change-set meets.
public struct CommitSurroundings: Sendable {
    /// The changed nodes and their new parents, as far as they ever existed; and for folders that move, all that will
    /// be above them.
    public var histories: [NodeID: NodeHistory]
    /// Who is now at the places that the change-set takes.
    public var occupants: [NodePlace: NodeID]
    /// How many entries the folders now have that the change-set removes. A number above the changes that name an entry
    /// of the folder may stand for any larger one.
    public var entryCounts: [NodeID: Int]

    /// Makes surroundings of their parts.
    public init(
        histories: [NodeID: NodeHistory] = [:], occupants: [NodePlace: NodeID] = [:], entryCounts: [NodeID: Int] = [:]
    ) {
        self.histories = histories
        self.occupants = occupants
        self.entryCounts = entryCounts
    }

    /// The record of a node that is there now; nil when it is not, and for the root.
    func current(_ node: NodeID) -> NodeRecord? { histories[node]?.current }
}
