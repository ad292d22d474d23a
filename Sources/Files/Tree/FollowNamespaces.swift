import Metadata
public import Model

/// Decides which namespaces a device may hear of.
public struct FollowNamespaces: Sendable {
    private let context: FilesContext

    /// Makes the use case.
    public init(_ context: FilesContext) { self.context = context }

    /// The heads of all namespaces that a device may hear of: its account's, the home first.
    /// - Throws: ``FilesError`` `tokenRevoked` when the device was revoked since it was authenticated.
    public func all(by principal: Principal) async throws -> [Cursor] {
        try await context.database.read { connection in
            guard try DeviceQueries(connection).byID(principal.device)?.revoked == nil else {
                throw FilesError(.tokenRevoked, "the device was revoked; log in again")
            }
            let heads = try NamespaceQueries(connection).heads(of: principal.account)
            let cursors = heads.map { Cursor(namespace: $0.namespace, revision: $0.revision) }
            return cursors.filter { $0.namespace == principal.home } + cursors.filter { $0.namespace != principal.home }
        }
    }

    /// Makes sure that a device may hear of namespaces.
    /// - Throws: ``FilesError``: `notFound` for a namespace that is not its account's, `tokenRevoked`.
    public func check(_ namespaces: [NamespaceID], by principal: Principal) async throws {
        let known = Set(try await all(by: principal).map(\.namespace))
        for namespace in namespaces where !known.contains(namespace) {
            throw FilesError(.notFound, "there is no namespace \(namespace)")
        }
    }
}
