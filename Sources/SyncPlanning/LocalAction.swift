public import Model

/// One step on the disk of this device.
///
/// Before a step touches anything its performer verifies that the disk still is as ``before`` says (they agree, see
/// ``LocalNode/agrees(with:)``), and that a place to be filled is empty. If not, the step is left out, and with it
/// those on the same node and below it: the next scan and plan see what is there. Folders are named by their ids:
/// where such a folder is at that moment, the performer knows, because it performed the steps that moved it.
public struct LocalAction: Hashable, Sendable {
    /// What is done to the node.
    public enum Step: Hashable, Sendable {
        /// Makes an empty folder at an empty place, with its mode.
        case makeFolder(NodeState)
        /// Puts a file with its content, mode and time at its place, whole or not at all. Without a state before, the
        /// place must be empty; with one, the node's own file (or link) there is replaced.
        case placeFile(NodeState)
        /// Puts a symbolic link at its place, by the same rule as ``placeFile(_:)``.
        case placeSymlink(NodeState)
        /// Moves the node, with all that is in it, to an empty place. From the parking area too.
        case move(to: Placement)
        /// Moves the node, with all that is in it, out of the tree into the parking area: two nodes change places.
        case park
        /// Sets the permission bits of a folder or file and the time of a file.
        case setAttributes(mode: UInt16, modified: Timestamp)
        /// Removes the node. A folder must be empty.
        case remove
    }

    /// The node.
    public let node: NodeID
    /// What is believed to be on disk just before the step; nil when the node is not on disk.
    public let before: LocalNode?
    /// What is to be done.
    public let step: Step

    /// Makes an action of its parts.
    public init(node: NodeID, before: LocalNode?, step: Step) {
        self.node = node
        self.before = before
        self.step = step
    }
}
