public import Metadata
public import Model

/// A namespace as simple as can be: every revision is a dictionary of its own, every rule a walk over all nodes.
public struct TreeModel: Sendable {
    /// The tree at each revision, from 0 on.
    public private(set) var trees: [[NodeID: NodeRecord]] = [[:]]
    /// What each revision changed.
    public private(set) var touched: [Set<NodeID>] = [[]]
    /// The last record of each node that was ever there, and the revision that removed it.
    public private(set) var histories: [NodeID: NodeHistory] = [:]

    /// An empty namespace.
    public init() {}

    /// The newest revision.
    public var head: Revision { Revision(UInt64(trees.count - 1)) }
    /// The newest tree.
    public var tree: [NodeID: NodeRecord] { trees[trees.count - 1] }

    /// Why changes are refused, ordered by node.
    public func refusals(_ changes: [NodeChange]) -> [Refusal] {
        let changes = changes.sorted { $0.node < $1.node }
        let after = outcome(changes)
        return changes.compactMap { change in
            reason(change, changes, after).map { Refusal(node: change.node, reason: $0) }
        }
    }

    /// Applies changes that are not refused.
    public mutating func apply(_ changes: [NodeChange]) {
        let revision = head.next
        var tree = self.tree
        for change in changes {
            if let state = change.state {
                let record = NodeRecord(node: change.node, revision: revision, state: state)
                tree[change.node] = record
                histories[change.node] = NodeHistory(latest: record, removed: nil)
            } else if let gone = tree.removeValue(forKey: change.node) {
                histories[change.node] = NodeHistory(latest: gone, removed: revision)
            }
        }
        trees.append(tree)
        touched.append(Set(changes.map(\.node)))
    }

    /// What changed after `since` up to `upTo`, ordered.
    public func changes(since: Int, upTo: Int) -> [NodeAtRevision] {
        var last: [NodeID: Int] = [:]
        for revision in (since + 1)..<max(upTo + 1, since + 1) {
            for node in touched[revision] { last[node] = revision }
        }
        return last.map { node, revision in
            NodeAtRevision(node: node, revision: Revision(UInt64(revision)), state: trees[upTo][node]?.state)
        }.sorted { $0.position < $1.position }
    }

    /// The entries of a folder at a revision, by name.
    public func children(of parent: NodeID, at revision: Int) -> [NodeRecord] {
        trees[revision].values.filter { $0.state.parent == parent }.sorted { $0.state.name < $1.state.name }
    }

    /// The tree as it would be after all changes, whatever is wrong with them.
    private func outcome(_ changes: [NodeChange]) -> [NodeID: NodeState] {
        var after = tree.mapValues(\.state)
        for change in changes where change.node != .root { after[change.node] = change.state }
        return after
    }

    private func reason(_ change: NodeChange, _ changes: [NodeChange], _ after: [NodeID: NodeState]) -> RefusalReason? {
        if change.node == .root { return .kindChanged }
        let current = tree[change.node]
        if let current, current.revision != change.base { return .stale(current: current) }
        if current == nil {
            let known = histories[change.node]
            let allowed = change.state != nil && change.base == known?.removed ?? .zero
            if !allowed { return .stale(current: nil) }
        }
        guard let state = change.state else {
            let kept = after.contains { $0.value.parent == change.node && tree[$0.key]?.state.parent == change.node }
            return kept ? .folderNotEmpty : nil
        }
        if let before = histories[change.node]?.latest.state, before.payload.isFolder != state.payload.isFolder {
            return .kindChanged
        }
        if state.parent != .root, after[state.parent]?.payload.isFolder != true { return .parentMissing }
        if isWithinItself(change.node, after) { return .cycle }
        let changed = Set(changes.map(\.node))
        let rivals = after.filter { node, other in
            node != change.node && other.parent == state.parent && other.name == state.name
        }.keys.sorted { (changed.contains($0) ? 0 : 1, $0) < (changed.contains($1) ? 0 : 1, $1) }
        return rivals.first.map { .nameTaken(by: $0) }
    }

    private func isWithinItself(_ node: NodeID, _ after: [NodeID: NodeState]) -> Bool {
        guard after[node]?.payload.isFolder == true else { return false }
        var above = after[node]?.parent
        for _ in 0...after.count {
            guard let step = above, step != .root else { return false }
            if step == node { return true }
            guard after[step]?.payload.isFolder == true else { return false }
            above = after[step]?.parent
        }
        return false
    }
}
