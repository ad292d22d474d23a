import Metadata
public import Model

/// Finds the node at a path.
public struct FindNode: Sendable {
    private let context: FilesContext

    /// Makes the use case.
    public init(_ context: FilesContext) { self.context = context }

    /// The node at a path.
    /// - Throws: ``FilesError`` `notFound`; also for the root, which has no record.
    public func callAsFunction(
        _ path: RemotePath, in namespace: NamespaceID, by principal: Principal
    ) async throws -> NodeRecord {
        try await context.database.read { connection in
            try Access.check(connection, namespace, principal)
            guard let record = try NodeQueries(connection).resolve(path, in: namespace) else {
                throw FilesError(.notFound, "there is nothing at \(path)")
            }
            return record
        }
    }
}
