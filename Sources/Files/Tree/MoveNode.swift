import Metadata
public import Model

/// Moves or renames a file or a folder, with all that is in it. It keeps its identity.
public struct MoveNode: Sendable {
    private let context: FilesContext

    /// Makes the use case.
    public init(_ context: FilesContext) { self.context = context }

    /// Moves the node. Nothing is ever overwritten.
    /// - Returns: the head with the move.
    /// - Throws: ``FilesError``: `notFound`, `alreadyExists` for the target, `conflict` when the target's folder is missing
    ///   or lies within the node.
    public func callAsFunction(
        from: RemotePath, to: RemotePath, in namespace: NamespaceID, by principal: Principal
    ) async throws -> Head {
        guard let name = to.name, let parent = to.parent else {
            throw FilesError(.alreadyExists, "the root exists already")
        }
        guard !from.names.isEmpty else { throw FilesError(.invalidPath, "the root can't be moved") }
        let commit = TreeCommit(context: context, namespace: namespace, principal: principal, path: to)
        return try await commit.run(upload: context.randomness.identifier()) { connection in
            let tree = TreeLookup(connection: connection, namespace: namespace)
            guard let node = try tree.node(from) else { throw FilesError(.notFound, "there is nothing at \(from)") }
            if let target = try tree.node(to) {
                if target.node == node.node { return [] }
                throw FilesError(.alreadyExists, "there is an entry at \(to) already")
            }
            var state = node.state
            state.parent = try tree.folder(parent)
            state.name = name
            return [NodeChange(node: node.node, base: node.revision, state: state)]
        }
    }
}
