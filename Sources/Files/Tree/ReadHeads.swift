public import Metadata
public import Model

/// Reads how far namespaces are, for polls that have just been parked.
public struct ReadHeads: Sendable {
    private let database: any MetadataDatabase

    /// Makes the use case.
    public init(_ database: any MetadataDatabase) { self.database = database }

    /// The heads of namespaces, as of now, whoever they belong to. A namespace that does not exist is left out.
    /// - Throws: ``MetadataError``.
    public func callAsFunction(of namespaces: [NamespaceID]) async throws -> [Cursor] {
        try await database.read { try NamespaceQueries($0).revisions(of: namespaces) }
    }
}
