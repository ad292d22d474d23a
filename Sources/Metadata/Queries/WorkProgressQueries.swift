public import Model

/// Reads and writes how far work that goes on for long has come.
public struct WorkProgressQueries {
    private let connection: any MetadataConnection

    /// Works on a connection.
    public init(_ connection: any MetadataConnection) {
        self.connection = connection
    }

    /// What the work of a name has written last; nil when it has not.
    public func value(of name: String) throws -> [UInt8]? {
        try connection.first("SELECT value FROM maintenance WHERE name = $1", [.text(name)]).map { try $0.blob(0) }
    }

    /// Puts a value in the place of the one before.
    public func set(_ value: [UInt8], of name: String, at time: Timestamp) throws {
        try connection.execute(
            """
            INSERT INTO maintenance (name, value, updated) VALUES ($1, $2, $3)
            ON CONFLICT (name) DO UPDATE SET value = $2, updated = $3
            """,
            [.text(name), .blob(value), .time(time)])
    }
}
