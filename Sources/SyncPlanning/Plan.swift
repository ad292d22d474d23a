public import Model

/// What a device has to do so that its disk and the server become one again.
///
/// Whoever carries it out keeps this order: first all of ``identities`` in one transaction, then the steps of ``local``
/// one after the other, then ``settled``; ``remote`` may be sent at any time after ``identities``. It may stop
/// anywhere, and may leave out any step: what is not done, the next plan does.
public struct Plan: Hashable, Sendable {
    /// Something on disk that goes under another id from now on. The disk is not touched.
    public struct Identity: Hashable, Sendable {
        /// The id that the scanner knows it by.
        public let old: NodeID
        /// The id of the server's node that it turned out to be, or a fresh one for the loser of a conflict.
        public let new: NodeID

        /// Makes an identity of its parts.
        public init(old: NodeID, new: NodeID) {
            self.old = old
            self.new = new
        }
    }

    /// A node whose remote state is on disk, once all steps on it in ``Plan/local`` are done (at once, when there are
    /// none): it goes into the synced tree as it is here. If a step failed, the node is not settled.
    public struct Settlement: Hashable, Sendable {
        /// The node.
        public let node: NodeID
        /// What to write; nil erases the node from the synced tree.
        public let record: NodeRecord?

        /// Makes a settlement of its parts.
        public init(node: NodeID, record: NodeRecord?) {
            self.node = node
            self.record = record
        }
    }

    /// A conflict that the plan resolves by keeping both; for people to read.
    public struct Conflict: Hashable, Sendable {
        /// The node that keeps the name.
        public let winner: NodeID
        /// The node that gets a conflicted name.
        public let loser: NodeID
        /// The conflicted name.
        public let name: NodeName

        /// Makes a conflict of its parts.
        public init(winner: NodeID, loser: NodeID, name: NodeName) {
            self.winner = winner
            self.loser = loser
            self.name = name
        }
    }

    /// New ids for things on disk, to be noted before anything else.
    public var identities: [Identity] = []
    /// The steps on disk, in order.
    public var local: [LocalAction] = []
    /// The changes for the server in groups, in order. A group must not be divided between commits; several groups
    /// may share one. The states are on disk already: a node with steps in ``local`` is sent by a later plan. When a
    /// commit is accepted, its states go into the synced tree with its revision.
    public var remote: [[NodeChange]] = []
    /// The nodes that enter the synced tree.
    public var settled: [Settlement] = []
    /// The conflicts resolved.
    public var conflicts: [Conflict] = []

    /// Makes a plan that does nothing.
    public init() {}

    /// Whether there is nothing to do: disk, server and synced tree are one.
    public var isEmpty: Bool { identities.isEmpty && local.isEmpty && remote.isEmpty && settled.isEmpty }
}
