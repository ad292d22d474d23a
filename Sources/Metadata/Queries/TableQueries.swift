/// A table as rows of values: what a copy from one database to another needs to know of it.
public struct TableShape: Hashable, Sendable {
    /// The name of the table.
    public let name: String
    /// Its columns, in the order in which they were declared.
    public let columns: [String]
    /// Those of them that make up the primary key, in its order.
    public let key: [String]
    /// Those of the key that are text. Databases differ in how they order that.
    public let text: Set<String>
}

/// Reads and writes tables row by row, whatever they mean.
public struct TableQueries {
    private let connection: any MetadataConnection

    /// Works on a connection.
    public init(_ connection: any MetadataConnection) {
        self.connection = connection
    }

    /// The tables of metadata, but for the one that has the version of the schema; those that others refer to come first.
    /// SQLite tells them; they are the same in every database of that version.
    /// - Throws: ``MetadataError`` `incompatible` on another database.
    public func shapes() throws -> [TableShape] {
        guard connection.dialect == .sqlite else {
            throw MetadataError(.incompatible, "only SQLite tells its tables")
        }
        // Rows of the catalogue are in the order in which the tables were made.
        return try connection.query(
            """
            SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'schema_version' AND name NOT LIKE 'sqlite_%'
            ORDER BY rowid
            """, []
        ).map { try shape(of: $0.text(0)) }
    }

    private func shape(of table: String) throws -> TableShape {
        let columns = try connection.query(
            "SELECT name, pk, type FROM pragma_table_info($1) ORDER BY cid", [.text(table)]
        )
        .map { (name: try $0.text(0), place: try $0.integer(1), type: try $0.text(2)) }
        let key = columns.filter { $0.place > 0 }.sorted { $0.place < $1.place }.map(\.name)
        guard !key.isEmpty else { throw MetadataError(.incompatible, "table \(table) has no primary key") }
        let text = Set(columns.filter { $0.type == "TEXT" }.map(\.name)).intersection(key)
        return TableShape(name: table, columns: columns.map(\.name), key: key, text: text)
    }

    /// At most `limit` rows of a table, in the order of the primary key, behind the one that has these values in it.
    public func rows(of table: TableShape, after key: [SQLValue]?, limit: Int) throws -> [SQLRow] {
        let isServer = connection.dialect == .postgres
        let names = table.key.map { name in
            "\"\(name)\"" + (isServer && table.text.contains(name) ? " COLLATE \"C\"" : "")
        }.joined(separator: ", ")
        let start = key.map { _ in
            "WHERE (\(names)) > (\((1...table.key.count).map { "$\($0)" }.joined(separator: ", ")))"
        }
        return try connection.query(
            """
            SELECT \(Self.list(table.columns)) FROM "\(table.name)" \(start ?? "")
            ORDER BY \(names) LIMIT $\((key?.count ?? 0) + 1)
            """, (key ?? []) + [.integer(Int64(limit))])
    }

    /// Adds rows to a table.
    public func insert(_ rows: [SQLRow], into table: TableShape) throws {
        let places = (1...table.columns.count).map { "$\($0)" }.joined(separator: ", ")
        try connection.executeMany(
            "INSERT INTO \"\(table.name)\" (\(Self.list(table.columns))) VALUES (\(places))", rows.map(\.values))
    }

    /// Whether a table has no rows.
    public func isEmpty(_ table: TableShape) throws -> Bool {
        try connection.first("SELECT 1 FROM \"\(table.name)\" LIMIT 1", []) == nil
    }

    /// Removes all rows of a table.
    public func clear(_ table: TableShape) throws {
        try connection.execute("DELETE FROM \"\(table.name)\"", [])
    }

    private static func list(_ columns: [String]) -> String {
        columns.map { "\"\($0)\"" }.joined(separator: ", ")
    }
}

extension TableShape {
    /// The values of a row that make up the primary key.
    public func key(of row: SQLRow) -> [SQLValue] {
        key.compactMap { name in columns.firstIndex(of: name).map { row.values[$0] } }
    }
}
