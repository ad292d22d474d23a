/// The numbered steps by which one kind of database came to be what it is.
///
/// Metadata has one (``Schema``). What keeps its rows in a database of its own brings a history of its own, and opens
/// that database with it: the two never share a file.
public struct SchemaHistory: Sendable {
    /// All steps, in order. A step that was released is never changed: another one follows it.
    public let migrations: [SchemaMigration]

    /// Makes a history of its steps, whose versions are 1, 2, 3 …
    public init(_ migrations: [SchemaMigration]) {
        precondition(migrations.map(\.version) == Array(1...max(1, migrations.count)), "steps are numbered from 1 on")
        self.migrations = migrations
    }

    /// The version that this program works with.
    public var version: Int { migrations.count }

    /// Brings the schema of a database to a version, by default the newest, in the caller's transaction.
    /// - Returns: the versions that were applied; none when it was there already.
    /// - Throws: ``MetadataError`` `incompatible` when the database is of a version that this program does not know, or
    ///   has another history.
    @discardableResult
    public func migrate(_ connection: any MetadataConnection, to target: Int? = nil) throws -> [Int] {
        let dialect = connection.dialect
        try connection.execute(
            dialect.render(
                """
                CREATE TABLE IF NOT EXISTS schema_version (
                    version {integer} NOT NULL PRIMARY KEY,
                    name TEXT NOT NULL
                ){table}
                """), [])
        let present = try Self.appliedVersion(connection)
        guard present <= version else {
            throw MetadataError(
                .incompatible,
                "the database has schema version \(present), this program knows versions up to \(version): "
                    + "use the program that wrote it, or a newer one")
        }
        try checkNames(connection)
        let steps = migrations.filter { $0.version > present && $0.version <= target ?? version }
        for step in steps {
            for statement in step.statements { try connection.execute(dialect.render(statement), []) }
            try connection.execute(
                "INSERT INTO schema_version (version, name) VALUES ($1, $2)",
                [.integer(Int64(step.version)), .text(step.name)])
        }
        return steps.map(\.version)
    }

    /// A step that was applied has the name that it has here, or the file is of another kind of database.
    private func checkNames(_ connection: any MetadataConnection) throws {
        for row in try connection.query("SELECT version, name FROM schema_version ORDER BY version", []) {
            let (version, name) = (try row.integer(0), try row.text(1))
            guard migrations.contains(where: { $0.version == version && $0.name == name }) else {
                throw MetadataError(
                    .incompatible, "the database holds something else: its step \(version) is '\(name)'")
            }
        }
    }

    /// The version of the schema of a database that ``migrate(_:to:)`` has seen; 0 when nothing was applied yet.
    public static func appliedVersion(_ connection: any MetadataConnection) throws -> Int {
        try connection.first("SELECT COALESCE(MAX(version), 0) FROM schema_version", []).map { try $0.number(0) } ?? 0
    }
}
