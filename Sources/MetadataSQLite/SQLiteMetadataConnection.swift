import GRDB
import GRDBSQLite
import Metadata

/// One connection of the pool, within a transaction.
///
/// GRDB opens the connection, keeps its prepared statements, and says on which queue it may be used. Values are bound
/// and read by SQLite's own interface: an upload binds tens of thousands of them, and arrays of boxed values would
/// cost more than the rows.
struct SQLiteMetadataConnection: MetadataConnection {
    private let database: Database
    private let path: String

    init(_ database: Database, path: String) {
        self.database = database
        self.path = path
    }

    var dialect: SQLDialect { .sqlite }

    func query(_ sql: String, _ bindings: [SQLValue]) throws -> [SQLRow] {
        let statement = try prepared(sql)
        defer { statement.reset() }
        try statement.bind(bindings)
        var rows: [SQLRow] = []
        while try statement.step() { rows.append(statement.row()) }
        return rows
    }

    func execute(_ sql: String, _ bindings: [SQLValue]) throws -> Int {
        try executeMany(sql, [bindings])
    }

    func executeMany(_ sql: String, _ rows: [[SQLValue]]) throws -> Int {
        if rows.isEmpty { return 0 }
        let statement = try prepared(sql)
        var changed = 0
        for bindings in rows {
            defer { statement.reset() }
            let before = database.totalChangesCount
            try statement.bind(bindings)
            while try statement.step() {}
            // The total also counts what foreign keys took along; the last count is old when nothing was changed.
            if database.totalChangesCount != before { changed += database.changesCount }
        }
        return changed
    }

    private func prepared(_ sql: String) throws -> SQLiteStatementRun {
        // After some failures SQLite ends the transaction by itself; what followed would be outside of any.
        guard database.isInsideTransaction else {
            throw MetadataError(.io, "the transaction on \(path) was ended by a failure before")
        }
        do {
            return try SQLiteStatementRun(try database.cachedStatement(sql: sql), of: sql, database, path: path)
        } catch {
            throw SQLiteErrors.translated(error, path: path)
        }
    }
}
