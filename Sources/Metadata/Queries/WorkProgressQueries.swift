public import Model

/// Reads and writes how far work that goes on for long has come.
public struct WorkProgressQueries {
    private let connection: any MetadataConnection

    /// Works on a connection.
    public init(_ connection: any MetadataConnection) {
        self.connection = connection
    }

    /// What the work of a name has written last; nil when it has not, or is at its end.
    public func value(of name: String) throws -> [UInt8]? { try mark(name)?.value }

    /// When the work of a name has written last; nil when it has not, or is at its end.
    public func updated(of name: String) throws -> Timestamp? { try mark(name)?.updated }

    /// Puts a value in the place of the one before; nil when the work is at its end.
    public func set(_ value: [UInt8]?, of name: String, at time: Timestamp) throws {
        guard let value else {
            try connection.execute("DELETE FROM maintenance WHERE name = $1", [.text(name)])
            return
        }
        try connection.execute(
            """
            INSERT INTO maintenance (name, value, updated) VALUES ($1, $2, $3)
            ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated = excluded.updated
            """, [.text(name), .blob(value), .time(time)])
    }

    private func mark(_ name: String) throws -> (value: [UInt8], updated: Timestamp)? {
        try connection.first("SELECT value, updated FROM maintenance WHERE name = $1", [.text(name)]).map {
            (value: try $0.blob(0), updated: try $0.time(1))
        }
    }
}
