/// The schema of the metadata database and its history.
public enum Schema {
    /// How it came to be.
    public static let history = SchemaHistory([
        .accounts, .trees, .contents, .uploads, .regions, .revocations, .history, .collection,
        .pastListings, .archive, .leases,
    ])

    /// All steps, in order. A step that was released is never changed: another one follows it.
    public static var migrations: [SchemaMigration] { history.migrations }

    /// The version that this program works with.
    public static var version: Int { history.version }

    /// Brings the schema of a database to a version, by default the newest, in the caller's transaction.
    /// - Returns: the versions that were applied; none when it was there already.
    /// - Throws: ``MetadataError`` `incompatible` when the database is of a version that this program does not know.
    @discardableResult
    public static func migrate(_ connection: any MetadataConnection, to target: Int = Schema.version) throws -> [Int] {
        try history.migrate(connection, to: target)
    }

    /// The version of the schema of a database that ``migrate(_:to:)`` has seen; 0 when nothing was applied yet.
    public static func appliedVersion(_ connection: any MetadataConnection) throws -> Int {
        try SchemaHistory.appliedVersion(connection)
    }
}
