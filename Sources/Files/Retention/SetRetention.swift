public import Metadata
public import Model
import Retention

/// Sets and shows which versions an account keeps.
public struct SetRetention: Sendable {
    private let database: any MetadataDatabase
    private let clock: any WallClock

    /// A policy, and where it holds.
    public struct Rule: Sendable {
        /// The folder that it holds in; nil for the account as a whole.
        public let folder: RemotePath?
        /// What was written.
        public let text: String
        /// When.
        public let updated: Timestamp
    }

    /// Makes the use case.
    public init(database: any MetadataDatabase, clock: any WallClock) {
        self.database = database
        self.clock = clock
    }

    /// Sets the policy of an account, or of a folder of its home.
    /// - Parameters:
    ///   - text: a name or a document, as ``RetentionPolicy/init(parsing:)`` reads it; nil takes the policy away that was set
    ///     there.
    ///   - account: the account's name.
    ///   - folder: a folder that is there; nil for the account as a whole.
    /// - Throws: ``FilesError``: `invalidRequest` for what is no policy, `notFound` for the account, the folder, or a policy
    ///   that is to be taken away, `conflict` for a path that is no folder.
    public func callAsFunction(_ text: String?, account: String, folder: RemotePath? = nil) async throws {
        if let text {
            do { _ = try RetentionPolicy(parsing: text) } catch {
                throw FilesError(.invalidRequest, "\(error)")
            }
        }
        let now = clock.now()
        try await database.write { connection in
            let target = try AccountPath(connection, account: account, path: folder ?? .root)
            if target.isFile { throw FilesError(.conflict, "\(folder ?? .root) is not a folder") }
            let namespace = folder == nil ? RetentionRecord.everywhere : target.namespace
            let queries = RetentionQueries(connection)
            guard let text else {
                guard try queries.remove(target.node, in: namespace, of: target.account.id) else {
                    let place = folder.map { "for \($0)" } ?? "for the account as a whole"
                    throw FilesError(.notFound, "no policy is set \(place)")
                }
                return
            }
            try queries.set(
                RetentionRecord(namespace: namespace, folder: target.node, policy: text, updated: now),
                of: target.account.id)
        }
    }

    /// What was set for an account, the account as a whole first.
    /// - Throws: ``FilesError`` `notFound` for the account.
    public func rules(of account: String) async throws -> [Rule] {
        try await database.read { connection in
            let account = try AccountPath.account(connection, account)
            return try RetentionQueries(connection).all(of: account.id).map { record in
                Rule(
                    folder: try Self.path(of: record, connection), text: record.policy, updated: record.updated)
            }
        }
    }

    private static func path(of record: RetentionRecord, _ connection: any MetadataConnection) throws -> RemotePath? {
        if record.namespace == RetentionRecord.everywhere { return nil }
        if record.folder == .root { return .root }
        guard let place = try ThinningQueries(connection).lastPlace(of: record.folder, in: record.namespace) else {
            throw FilesError(.corruptData, "a policy is set for folder \(record.folder), which never was")
        }
        var places = PlaceLookup(connection, record.namespace)
        return try places.path(in: place.parent, place.name)
    }
}
