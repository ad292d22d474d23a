import Metadata
public import Model

/// Brings a file, a folder or a whole namespace back to what it was. Nothing is erased: the way there stays in the history.
public struct RewindTree: Sendable {
    private let context: FilesContext

    /// Makes the use case.
    public init(_ context: FilesContext) { self.context = context }

    /// Gives every node that is below the path, or was at that time, the state that it had: what came later goes, what
    /// is gone comes back, what was moved moves back, all by the same ids. The root stands for everything.
    ///
    /// It is one commit; above ``FilesLimits/removalBatch`` changes it is several, each of which leaves a tree that is whole.
    /// What can't be brought back is left as it is, and named.
    /// - Throws: ``FilesError``: `notFound` when there is nothing at the path, now or then; `invalidRequest` for a
    ///   revision that is to come; `conflict` when others change the same nodes all the time.
    /// - Complexity: O(changes since then).
    public func callAsFunction(
        _ path: RemotePath, to point: PastPoint, dryRun: Bool = false, in namespace: NamespaceID,
        by principal: Principal
    ) async throws -> HistoryOutcome {
        let revision = try await context.database.read { connection in
            try Access.check(connection, namespace, principal)
            return try point.revision(in: namespace, connection)
        }
        let commit = HistoryCommit(context: context, namespace: namespace, principal: principal, path: path)
        return try await commit.run(dryRun: dryRun, to: revision) { connection in
            let goals = try Self.goals(path, revision, namespace, connection)
            return try Settlement.plan(goals, in: DatabaseTree(connection: connection, namespace: namespace))
        }
    }

    private static func goals(
        _ path: RemotePath, _ revision: Revision, _ namespace: NamespaceID, _ connection: any MetadataConnection
    ) throws -> [NodeGoal] {
        var scope = ScopeSearch(
            connection, namespace, below: try HistoryScope.roots(of: path, at: revision, namespace, connection))
        let returning = try goneFolders(above: scope.roots ?? [], at: revision, namespace, connection)
        var goals: [NodeGoal] = []
        try HistoryScope.eachChanged(since: revision, in: namespace, connection) { nodes in
            let then = try VersionQueries(connection).versions(of: nodes, in: namespace, at: revision)
            for node in nodes {
                guard
                    try returning.contains(node) || scope.contains(node, at: nil) || scope.contains(node, at: revision)
                else { continue }
                goals.append(
                    NodeGoal(
                        node: node, state: then[node]?.record.state, isKept: then[node]?.isKept ?? true,
                        source: then[node]?.position))
            }
        }
        return goals
    }

    /// The folders that were around some nodes and are gone: without them these could not come back.
    private static func goneFolders(
        above nodes: Set<NodeID>, at revision: Revision, _ namespace: NamespaceID, _ connection: any MetadataConnection
    ) throws -> Set<NodeID> {
        let queries = NodeQueries(connection)
        var gone: Set<NodeID> = []
        for node in nodes {
            var current = try queries.node(node, in: namespace, at: revision)?.state.parent
            while let folder = current, folder != .root {
                if try queries.node(folder, in: namespace) == nil { gone.insert(folder) }
                current = try queries.node(folder, in: namespace, at: revision)?.state.parent
            }
        }
        return gone
    }
}

/// Which nodes a request by path is about.
enum HistoryScope {
    /// What is at a path now and what was there at a revision; nil for the root, which is everything.
    /// - Throws: ``FilesError`` `notFound` when there is neither.
    static func roots(
        of path: RemotePath, at revision: Revision, _ namespace: NamespaceID, _ connection: any MetadataConnection
    ) throws -> Set<NodeID>? {
        if path.names.isEmpty { return nil }
        let queries = NodeQueries(connection)
        let roots = [
            try queries.resolve(path, in: namespace), try queries.resolve(path, in: namespace, at: revision),
        ].compactMap { $0?.node }
        if roots.isEmpty { throw FilesError(.notFound, "there is nothing at \(path), and was nothing then") }
        return Set(roots)
    }

    /// Calls a body with the nodes that changed after a revision, in portions, each node once.
    static func eachChanged(
        since revision: Revision, in namespace: NamespaceID, _ connection: any MetadataConnection,
        _ body: ([NodeID]) throws -> Void
    ) throws {
        guard let head = try NamespaceQueries(connection).head(of: namespace) else { return }
        var after: ChangePosition?
        repeat {
            let slice = try NodeQueries(connection).changes(
                in: namespace, since: revision, upTo: head.revision, after: after, limit: 4096)
            try body(slice.entries.map(\.node))
            after = slice.next
        } while after != nil
    }
}
