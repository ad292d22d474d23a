public import Metadata
public import Testing

/// What every metadata database has to do. An adapter's test runs all ``checks`` on databases of its own.
public struct MetadataConformance: Sendable {
    /// Makes an empty database with the newest schema.
    public typealias Factory = @Sendable () async throws -> any MetadataDatabase

    /// One thing that has to be so.
    public struct Check: Sendable, CustomTestStringConvertible {
        /// What has to be so, as a sentence.
        public let testDescription: String
        let body: @Sendable (any MetadataDatabase) async throws -> Void

        init(_ sentence: String, _ body: @escaping @Sendable (any MetadataDatabase) async throws -> Void) {
            testDescription = sentence
            self.body = body
        }

        /// Runs the check on a fresh database.
        public func run(_ make: Factory) async throws {
            let database = try await make()
            try await body(database)
            try await database.close()
        }
    }

    /// All checks.
    public static let checks: [Check] =
        transactionChecks + accountChecks + contentChecks + uploadChecks + commitRuleChecks + commitChecks
        + journalChecks + namespaceChecks + nodeChecks + historyChecks + raceChecks + regionChecks + followingChecks
        + pollChecks + collectionChecks + checkChecks + versionChecks + pastListingChecks + thinningChecks
        + retentionChecks + archiveChecks + leaseChecks
}
