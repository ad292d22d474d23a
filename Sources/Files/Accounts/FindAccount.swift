public import Metadata

/// Finds an account by its name, for those who look after them.
public struct FindAccount: Sendable {
    private let database: any MetadataDatabase

    /// Makes the use case.
    public init(database: any MetadataDatabase) {
        self.database = database
    }

    /// The account of a name.
    /// - Throws: ``FilesError`` `notFound`.
    public func callAsFunction(_ name: String) async throws -> AccountRecord {
        try await database.read { try AccountPath.account($0, name) }
    }
}
