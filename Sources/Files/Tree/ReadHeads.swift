import Metadata
public import Model

/// Reads how far namespaces are, for a poll that has just been parked.
public struct ReadHeads: Sendable {
    private let context: FilesContext

    /// Makes the use case.
    public init(_ context: FilesContext) { self.context = context }

    /// The heads of namespaces, as of now.
    /// - Throws: ``FilesError``: `notFound` for a namespace that is not the caller's, `tokenRevoked` when the device was
    ///   revoked meanwhile: a revocation between the authentication and the parking of a poll would else be missed.
    public func callAsFunction(of namespaces: [NamespaceID], by principal: Principal) async throws -> [Cursor] {
        try await context.database.read { connection in
            guard try DeviceQueries(connection).byID(principal.device)?.revoked == nil else {
                throw FilesError(.tokenRevoked, "the device was revoked; log in again")
            }
            let heads = try NamespaceQueries(connection).heads(of: principal.account)
            let known = Dictionary(uniqueKeysWithValues: heads.map { ($0.namespace, $0.revision) })
            return try namespaces.map { namespace in
                guard let revision = known[namespace] else {
                    throw FilesError(.notFound, "there is no namespace \(namespace)")
                }
                return Cursor(namespace: namespace, revision: revision)
            }
        }
    }
}
