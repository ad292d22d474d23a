import Metadata
public import Model

/// What a node is to be.
struct NodeGoal: Hashable, Sendable {
    /// The node.
    let node: NodeID
    /// The state that it is to have; nil when it is to be gone.
    var state: NodeState?
    /// Whether the bytes of the state are there.
    var isKept = true
    /// The version that the bytes are taken from; nil when it is not known.
    var source: ChangePosition?
}

extension NodeVersion {
    /// What names the version.
    var position: ChangePosition { ChangePosition(revision: record.revision, node: record.node) }
}

/// Why a plan leaves a node as it is.
public enum LeftReason: Hashable, Sendable {
    /// The bytes of the version are not kept.
    case notKept
    /// Another node has the name by now.
    case nameTaken
    /// The folder around it is not there any more.
    case folderMissing
    /// It is a folder in which something stays.
    case folderNotEmpty
    /// It would be within itself.
    case cycle
    /// It was changed later, by somebody or something else than what is taken back.
    case changedLater(Revision)
    /// It is in another folder by now.
    case movedAway
}

/// A node that a plan leaves as it is.
public struct LeftNode: Hashable, Sendable {
    /// The node.
    public let node: NodeID
    /// Where it is, or was at last.
    public let path: RemotePath
    /// Why it is left.
    public let reason: LeftReason
}

/// What a plan does to one node.
public struct HistoryChange: Hashable, Sendable {
    /// The kinds of changes.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// What was gone is there again.
        case restored
        /// It gets an earlier content, target or mode; it may move as well.
        case reverted
        /// It gets an earlier place.
        case moved
        /// It goes.
        case removed
        /// It is new: a copy, or a folder around what comes back.
        case made
    }

    /// The node.
    public let node: NodeID
    /// What happens to it.
    public let kind: Kind
    /// Where it is, or was at last; for what is new, where it comes.
    public let path: RemotePath
    /// Where it comes to be, when that is another place.
    public let to: RemotePath?
}

/// What became, or would become, of a request that changes a tree by its history.
public struct HistoryOutcome: Hashable, Sendable {
    /// The head after it; the present one when nothing was to be done.
    public let head: Head
    /// The revision whose state is brought back; nil where that is another for each node.
    public let revision: Revision?
    /// How many nodes are changed.
    public let changeCount: Int
    /// What is done to them: the first ``mostNamed`` of them.
    public let changes: [HistoryChange]
    /// How many nodes are left as they are although they were meant.
    public let leftCount: Int
    /// Those, and why: the first ``mostNamed`` of them.
    public let left: [LeftNode]
    /// In how many commits it was done, or would be.
    public let commits: Int

    /// The most nodes that are named one by one.
    public static let mostNamed = 1000
}

/// The tree as it is, as far as a plan looks at it.
protocol PresentTree {
    /// The last that is known of some nodes. Those that never were are left out.
    func histories(of nodes: [NodeID]) throws -> [NodeID: NodeHistory]
    /// The node at a place; nil when there is none.
    func occupant(of parent: NodeID, _ name: NodeName) throws -> NodeID?
    /// The entries of a folder.
    func children(of folder: NodeID) throws -> [NodeID]
}

extension NodeHistory {
    /// The state of the node; nil when it is gone.
    var state: NodeState? { current?.state }
    /// The base of its next change.
    var base: Revision { removed ?? latest.revision }
}

/// Changes that a tree accepts, and what had to be left.
struct HistoryPlan: Sendable {
    /// The changes with what each node is, or was at last. A node that is new has none.
    var changes: [NodeChange]
    var before: [NodeID: NodeHistory]
    /// What is left.
    var left: [NodeID: LeftReason]
    /// The versions whose bytes the changes bring back, by the changed node: they have to be kept until the commit.
    var sources: [NodeID: ChangePosition] = [:]
}
