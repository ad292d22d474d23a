import Model

/// Finds folders that a change-set would put within themselves.
///
/// Such a ring always goes through a changed node, since the tree had none before: it is enough to walk up from those.
struct CycleSearch {
    private let changes: [NodeID: NodeChange]
    private let surroundings: CommitSurroundings

    init(_ changes: [NodeID: NodeChange], in surroundings: CommitSurroundings) {
        self.changes = changes
        self.surroundings = surroundings
    }

    /// The nodes that are on a ring, changed or not.
    func foldersWithinThemselves() -> Set<NodeID> {
        var circular: Set<NodeID> = []
        var walked: Set<NodeID> = []
        for change in changes.values {
            // Only a folder can have anything within it.
            guard change.state?.payload.isFolder == true else { continue }
            walk(from: change.node, walked: &walked, circular: &circular)
        }
        return circular
    }

    /// Walks up until the root, or what an earlier walk has seen. Each node is walked once.
    private func walk(from start: NodeID, walked: inout Set<NodeID>, circular: inout Set<NodeID>) {
        var path: [NodeID] = []
        var node = start
        while node != .root {
            guard walked.insert(node).inserted else {
                // Seen before: by this very walk, which closes a ring, or by an earlier one, which has judged it.
                if let ring = path.firstIndex(of: node) { circular.formUnion(path[ring...]) }
                return
            }
            path.append(node)
            guard let parent = parent(of: node) else { return }
            node = parent
        }
    }

    /// The folder around a folder afterwards; nil for what is no folder, or is not known.
    private func parent(of node: NodeID) -> NodeID? {
        let state = changes[node].map(\.state) ?? surroundings.current(node)?.state
        return state?.payload.isFolder == true ? state?.parent : nil
    }
}
