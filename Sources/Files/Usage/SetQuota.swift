public import Metadata

/// Sets how much an account may keep.
public struct SetQuota: Sendable {
    private let database: any MetadataDatabase

    /// Makes the use case.
    public init(database: any MetadataDatabase) {
        self.database = database
    }

    /// Sets the most sealed bytes that an account may keep; nil for no limit. A server that runs heeds it within a minute.
    /// - Returns: how many it keeps now.
    /// - Throws: ``FilesError`` `notFound` for the account.
    public func callAsFunction(_ bytes: UInt64?, account name: String) async throws -> UInt64 {
        try await database.write { connection in
            let account = try AccountPath.account(connection, name)
            try QuotaQueries(connection).setQuota(of: account.id, bytes)
            return try QuotaQueries(connection).stored(by: account.id).sealedBytes
        }
    }
}
