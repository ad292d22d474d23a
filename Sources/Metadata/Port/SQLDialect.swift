/// The few words in which the databases differ. All else of the SQL is written once.
public enum SQLDialect: Hashable, Sendable {
    /// SQLite 3.37 or newer.
    case sqlite
    /// PostgreSQL 15 or newer.
    case postgres

    /// What follows a `SELECT` whose rows the transaction is going to change.
    ///
    /// SQLite has one writer, who has the whole database from the start of the transaction: there is nothing to lock.
    public var forUpdate: String {
        switch self {
        case .sqlite: ""
        case .postgres: " FOR UPDATE"
        }
    }

    /// The type of bytes.
    public var bytesType: String {
        switch self {
        case .sqlite: "BLOB"
        case .postgres: "BYTEA"
        }
    }

    /// Fills in the words in braces of a statement of a migration.
    ///
    /// `{integer}` is the type of 64-bit numbers, `{bytes}` that of bytes, `{table}` follows the closing parenthesis of
    /// an ordinary table, and `{clustered}` that of a table whose rows are to lie in the order of its primary key.
    public func render(_ statement: String) -> String {
        var rendered = ""
        rendered.reserveCapacity(statement.utf8.count + 32)
        var rest = statement[...]
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            let key = rest[rest.index(after: open)..<close]
            guard let word = word(for: key) else { preconditionFailure("unknown word {\(key)} in a migration") }
            rendered += rest[..<open]
            rendered += word
            rest = rest[rest.index(after: close)...]
        }
        return rendered + rest
    }

    private func word(for key: Substring) -> String? {
        switch (key, self) {
        case ("integer", .sqlite): "INTEGER"
        case ("integer", .postgres): "BIGINT"
        case ("bytes", _): bytesType
        case ("table", .sqlite): " STRICT"
        case ("clustered", .sqlite): " STRICT, WITHOUT ROWID"
        case ("table", .postgres), ("clustered", .postgres): ""
        default: nil
        }
    }
}
