public import Model

/// Reads and writes which versions accounts want to keep.
public struct RetentionQueries {
    private let connection: any MetadataConnection

    /// Works on a connection.
    public init(_ connection: any MetadataConnection) {
        self.connection = connection
    }

    /// All rules of an account: what holds everywhere first, then by namespace and folder.
    public func all(of account: AccountID) throws -> [RetentionRecord] {
        try connection.query(
            """
            SELECT namespace, folder, policy, updated FROM retention WHERE account = $1 ORDER BY namespace, folder
            """, [.id(account)]
        ).map { row in
            RetentionRecord(
                namespace: try row.id(0), folder: try row.id(1), policy: try row.text(2), updated: try row.time(3))
        }
    }

    /// Sets a rule, in the place of the one that holds there.
    public func set(_ record: RetentionRecord, of account: AccountID) throws {
        try connection.execute(
            """
            INSERT INTO retention (account, namespace, folder, policy, updated) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (account, namespace, folder) DO UPDATE SET policy = $4, updated = $5
            """,
            [
                .id(account), .id(record.namespace), .id(record.folder), .text(record.policy), .time(record.updated),
            ])
    }

    /// Takes a rule away.
    /// - Returns: whether there was one.
    @discardableResult
    public func remove(_ folder: NodeID, in namespace: NamespaceID, of account: AccountID) throws -> Bool {
        try connection.execute(
            "DELETE FROM retention WHERE account = $1 AND namespace = $2 AND folder = $3",
            [.id(account), .id(namespace), .id(folder)]) > 0
    }
}
