public import Model

/// What the disk of this device and the server last agreed on, as the planner looks into it.
///
/// It may be large and lie on disk: the planner asks only for nodes that changed and for those around them, so that
/// its work grows with the changes and never with the tree. The root folder exists always and is never asked for.
public protocol SyncedTree {
    /// The node with the revision that it was agreed on; nil when none was.
    func record(of node: NodeID) throws -> NodeRecord?

    /// Which node has a name in a folder; nil when none has.
    func child(of parent: NodeID, named name: NodeName) throws -> NodeID?
}
