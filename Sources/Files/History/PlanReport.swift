import Metadata
import Model

/// Says what a plan does in words of paths.
struct PlanReport {
    private let plan: HistoryPlan
    private let states: [NodeID: NodeState?]
    private let connection: any MetadataConnection
    private let namespace: NamespaceID
    private var known: [NodeID: RemotePath] = [:]

    init(_ plan: HistoryPlan, _ connection: any MetadataConnection, _ namespace: NamespaceID) {
        self.plan = plan
        self.connection = connection
        self.namespace = namespace
        states = Dictionary(uniqueKeysWithValues: plan.changes.map { ($0.node, $0.state) })
    }

    /// The first changes, ordered by their paths.
    mutating func changes() throws -> [HistoryChange] {
        var named: [HistoryChange] = []
        for change in plan.changes.prefix(HistoryOutcome.mostNamed) {
            let before = plan.before[change.node]
            let after = try change.state.map { try final($0.parent).appending($0.name) }
            let path = try before.map { try former(change.node, $0) } ?? after ?? .root
            named.append(
                HistoryChange(
                    node: change.node, kind: Self.kind(before, change.state), path: path,
                    to: after.flatMap { $0 == path ? nil : $0 }))
        }
        return named.sorted { $0.path.bytes.lexicographicallyPrecedes($1.path.bytes) }
    }

    /// The first nodes that are left, ordered by their paths.
    mutating func left() throws -> [LeftNode] {
        let histories = try VersionQueries(connection).histories(of: Array(plan.left.keys), in: namespace)
        return try plan.left.sorted { $0.key < $1.key }.prefix(HistoryOutcome.mostNamed).map { node, reason in
            let path = try histories[node].map { try former(node, $0) } ?? .root
            return LeftNode(node: node, path: path, reason: reason)
        }.sorted { $0.path.bytes.lexicographicallyPrecedes($1.path.bytes) }
    }

    private static func kind(_ before: NodeHistory?, _ state: NodeState?) -> HistoryChange.Kind {
        guard let state else { return .removed }
        guard let before else { return .made }
        guard let present = before.state else { return .restored }
        return present.payload == state.payload && present.mode == state.mode
            && (present.modified == state.modified || present.name != state.name || present.parent != state.parent)
            ? .moved : .reverted
    }

    /// Where a node is, or was at last.
    private func former(_ node: NodeID, _ history: NodeHistory) throws -> RemotePath {
        let last = history.removed?.earlier
        return try VersionQueries(connection).path(of: node, in: namespace, at: last) ?? .root
    }

    /// Where a folder will be.
    private mutating func final(_ folder: NodeID) throws -> RemotePath {
        if folder == .root { return .root }
        if let path = known[folder] { return path }
        let state: NodeState? =
            if let planned = states[folder] { planned } else {
                try NodeQueries(connection).node(folder, in: namespace)?.state
            }
        guard let state else { return .root }
        let path = try final(state.parent).appending(state.name)
        known[folder] = path
        return path
    }
}
