/// The schema of the database and its history.
public enum Schema {
    /// All steps, in order. A step that was released is never changed: another one follows it.
    public static let migrations: [SchemaMigration] = [
        .accounts, .trees, .contents, .uploads, .regions, .revocations,
    ]

    /// The version that this program works with.
    public static var version: Int { migrations.last?.version ?? 0 }

    /// Brings the schema of a database to a version, by default the newest, in the caller's transaction.
    /// - Returns: the versions that were applied; none when it was there already.
    /// - Throws: ``MetadataError`` `incompatible` when the database is of a version that this program does not know.
    @discardableResult
    public static func migrate(_ connection: any MetadataConnection, to target: Int = Schema.version) throws -> [Int] {
        let dialect = connection.dialect
        try connection.execute(
            dialect.render(
                """
                CREATE TABLE IF NOT EXISTS schema_version (
                    version {integer} NOT NULL PRIMARY KEY,
                    name TEXT NOT NULL
                ){table}
                """), [])
        let present = try appliedVersion(connection)
        guard present <= version else {
            throw MetadataError(
                .incompatible,
                "the database has schema version \(present), this program knows versions up to \(version): "
                    + "use the program that wrote it, or a newer one")
        }
        let steps = migrations.filter { $0.version > present && $0.version <= target }
        for step in steps {
            for statement in step.statements { try connection.execute(dialect.render(statement), []) }
            try connection.execute(
                "INSERT INTO schema_version (version, name) VALUES ($1, $2)",
                [.integer(Int64(step.version)), .text(step.name)])
        }
        return steps.map(\.version)
    }

    /// The version of the schema of a database that ``migrate(_:to:)`` has seen; 0 when nothing was applied yet.
    public static func appliedVersion(_ connection: any MetadataConnection) throws -> Int {
        try connection.first("SELECT COALESCE(MAX(version), 0) FROM schema_version", []).map { try $0.number(0) } ?? 0
    }
}
