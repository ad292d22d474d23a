import Model
import SyncPlanning

/// The server's side of the rules: bases are checked, names are unique, folders that go are empty, all or nothing.
struct SimulatedServer {
    private(set) var nodes: [NodeID: NodeRecord] = [:]
    /// The revision that removed a node.
    private(set) var tombstones: [NodeID: Revision] = [:]
    private(set) var head = Revision.zero

    /// All that was ever there, as a device sees it when it asks.
    var view: [NodeID: RemoteNode] {
        var view = tombstones.mapValues { RemoteNode(revision: $0, state: nil) }
        for (node, record) in nodes { view[node] = RemoteNode(revision: record.revision, state: record.state) }
        return view
    }

    /// Applies all changes or none.
    mutating func commit(_ changes: [NodeChange]) -> Result<Revision, SimulatedRefusal> {
        var next = self
        next.head = head.next
        for change in changes {
            let base = nodes[change.node]?.revision ?? tombstones[change.node] ?? .zero
            guard change.base == base else { return .failure(.stale(change.node)) }
            if let state = change.state {
                if let old = nodes[change.node]?.state, old.payload.isFolder != state.payload.isFolder {
                    return .failure(.kindChanged(change.node))
                }
                next.nodes[change.node] = NodeRecord(node: change.node, revision: next.head, state: state)
                next.tombstones[change.node] = nil
            } else {
                guard next.nodes.removeValue(forKey: change.node) != nil else { return .failure(.stale(change.node)) }
                next.tombstones[change.node] = next.head
            }
        }
        if let refusal = next.defect { return .failure(refusal) }
        self = next
        return .success(head)
    }

    private var defect: SimulatedRefusal? {
        var places: Set<Placement> = []
        for (node, record) in nodes {
            guard places.insert(record.state.placement).inserted else { return .nameTaken(node) }
            var seen: Set<NodeID> = [node]
            var parent = record.state.parent
            while parent != .root {
                guard let folder = nodes[parent], folder.state.payload.isFolder else { return .parentMissing(node) }
                guard seen.insert(parent).inserted else { return .cycle(node) }
                parent = folder.state.parent
            }
        }
        return nil
    }
}

enum SimulatedRefusal: Error, Hashable {
    case stale(NodeID), nameTaken(NodeID), parentMissing(NodeID), cycle(NodeID), kindChanged(NodeID)
}
