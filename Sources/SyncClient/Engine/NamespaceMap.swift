import Model

/// Between a link's own tree, whose root is always ``NodeID/root``, and the namespace, where the linked folder may be
/// any folder.
struct NamespaceMap: Hashable, Sendable {
    let namespace: NamespaceID
    /// The folder of the namespace that is linked.
    let root: NodeID

    /// Whether the whole namespace is linked.
    var isWhole: Bool { root == .root }

    /// A state of the link's tree, as the server knows it.
    func outward(_ state: NodeState) -> NodeState {
        var state = state
        if state.parent == .root { state.parent = root }
        return state
    }

    /// A change of the link's tree, as the server knows it.
    func outward(_ change: NodeChange) -> NodeChange {
        NodeChange(node: change.node, base: change.base, state: change.state.map { outward($0) })
    }

    /// A state of the namespace within the linked folder, as the link's tree knows it.
    func inward(_ state: NodeState) -> NodeState {
        var state = state
        if state.parent == root { state.parent = .root }
        return state
    }
}
