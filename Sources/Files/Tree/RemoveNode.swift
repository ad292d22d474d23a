import Metadata
public import Model

/// Removes a file, or a folder with all that is in it.
public struct RemoveNode: Sendable {
    private let context: FilesContext

    /// Makes the use case.
    public init(_ context: FilesContext) { self.context = context }

    /// Removes the node at a path.
    ///
    /// A large folder goes in several commits, children first: when the server stops half-way, a part of it is left, and
    /// calling again removes that.
    /// - Returns: the head without the node.
    /// - Throws: ``FilesError``: `notFound`, `preconditionFailed`, `invalidPath` for the root.
    /// - Complexity: O(nodes removed), in commits of at most ``FilesLimits/removalBatch`` changes.
    public func callAsFunction(
        _ path: RemotePath, if preconditions: Preconditions = Preconditions(), in namespace: NamespaceID,
        by principal: Principal
    ) async throws -> Head {
        guard !path.names.isEmpty else { throw FilesError(.invalidPath, "the root can't be removed") }
        let commit = TreeCommit(context: context, namespace: namespace, principal: principal, path: path)
        let limit = context.limits.removalBatch
        let target = try await context.database.read { connection in
            try Access.check(connection, namespace, principal)
            return try TreeLookup(connection: connection, namespace: namespace).node(path)?.node
        }
        guard let target else { throw FilesError(.notFound, "there is nothing at \(path)") }
        while true {
            // By identity from here on: what another device puts at the path meanwhile was not meant.
            let head = try await commit.run(upload: context.randomness.identifier()) { connection in
                guard let node = try NodeQueries(connection).node(target, in: namespace) else { return [] }
                try preconditions.check(node.state.payload.content, path)
                return try Self.batch(of: node, in: namespace, limit: limit, connection)
            }
            let isGone = try await context.database.read { connection in
                try NodeQueries(connection).node(target, in: namespace) == nil
            }
            if isGone { return head }
        }
    }

    /// Removals of the first nodes below a node, and last of itself, children before their folders: whatever the limit
    /// cuts off, no folder goes before what is in it.
    private static func batch(
        of node: NodeRecord, in namespace: NamespaceID, limit: Int, _ connection: any MetadataConnection
    ) throws -> [NodeChange] {
        struct Folder {
            let record: NodeRecord
            var after: NodeName?
        }
        var changes: [NodeChange] = []
        func remove(_ record: NodeRecord) {
            changes.append(NodeChange(node: record.node, base: record.revision, state: nil))
        }
        guard node.state.payload.isFolder else {
            remove(node)
            return changes
        }
        var open = [Folder(record: node)]
        while let folder = open.last, changes.count < limit {
            let children = try NodeQueries(connection).children(
                of: folder.record.node, in: namespace, after: folder.after, limit: min(256, limit - changes.count))
            guard !children.isEmpty else {
                remove(folder.record)
                open.removeLast()
                continue
            }
            for child in children {
                open[open.count - 1].after = child.state.name
                if child.state.payload.isFolder {
                    open.append(Folder(record: child))
                    break
                }
                remove(child)
            }
        }
        return changes
    }
}
