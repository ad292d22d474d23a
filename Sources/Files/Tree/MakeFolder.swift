import Metadata
public import Model

/// Makes a folder at a path.
public struct MakeFolder: Sendable {
    private let context: FilesContext

    /// Makes the use case.
    public init(_ context: FilesContext) { self.context = context }

    /// Makes the folder, and with `parents` the missing folders around it.
    /// - Returns: the head with the folder.
    /// - Throws: ``FilesError``: `alreadyExists`, `conflict` when the folder around it is missing.
    public func callAsFunction(
        _ path: RemotePath, parents: Bool = false, in namespace: NamespaceID, by principal: Principal
    ) async throws -> Head {
        guard let name = path.name, let parent = path.parent else {
            throw FilesError(.alreadyExists, "the root exists already")
        }
        let spare: [NodeID] = path.names.map { _ in context.randomness.identifier() }
        let now = context.clock.now()
        let commit = TreeCommit(context: context, namespace: namespace, principal: principal, path: path)
        return try await commit.run(upload: context.randomness.identifier()) { connection in
            let tree = TreeLookup(connection: connection, namespace: namespace)
            guard try tree.node(path) == nil else {
                throw FilesError(.alreadyExists, "there is an entry at \(path) already")
            }
            let (folder, changes) =
                parents ? try tree.folder(parent, making: spare, at: now) : (try tree.folder(parent), [])
            let state = NodeState(parent: folder, name: name, payload: .folder, mode: 0o755, modified: now)
            return changes + [NodeChange(node: spare[path.names.count - 1], base: .zero, state: state)]
        }
    }
}
