public import Model

/// Reads and writes accounts.
public struct AccountQueries {
    private let connection: any MetadataConnection

    /// Works on a connection.
    public init(_ connection: any MetadataConnection) {
        self.connection = connection
    }

    /// Adds an account. Its home namespace is made by ``NamespaceQueries/create(_:owner:at:)``, after it.
    /// - Throws: ``MetadataError`` `alreadyExists` when the id or the name is taken.
    public func create(_ account: AccountRecord) throws {
        try connection.execute(
            """
            INSERT INTO account (id, name, password, master_key, wrapped_key, home, created)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            """,
            [
                .id(account.id), .text(account.name), .text(account.passwordHash),
                .integer(Int64(account.masterKey)), .blob(account.wrappedKey), .id(account.home),
                .time(account.created),
            ])
    }

    /// The account of a name; nil when there is none.
    public func byName(_ name: String) throws -> AccountRecord? {
        try connection.first("SELECT \(Self.columns) FROM account WHERE name = $1", [.text(name)]).map(Self.record)
    }

    /// The account of an id; nil when there is none.
    public func byID(_ id: AccountID) throws -> AccountRecord? {
        try connection.first("SELECT \(Self.columns) FROM account WHERE id = $1", [.id(id)]).map(Self.record)
    }

    /// All accounts, by name. O(accounts).
    public func all() throws -> [AccountRecord] {
        try connection.query("SELECT \(Self.columns) FROM account ORDER BY name", []).map(Self.record)
    }

    /// Replaces the wrapped key of an account, as when the master key was rotated.
    /// - Throws: ``MetadataError`` `notFound` when there is no such account.
    public func setWrappedKey(_ id: AccountID, masterKey: UInt32, wrappedKey: [UInt8]) throws {
        let changed = try connection.execute(
            "UPDATE account SET master_key = $1, wrapped_key = $2 WHERE id = $3",
            [.integer(Int64(masterKey)), .blob(wrappedKey), .id(id)])
        if changed == 0 { throw MetadataError(.notFound, "there is no account \(id)") }
    }

    /// Replaces the hash of the password of an account.
    /// - Throws: ``MetadataError`` `notFound` when there is no such account.
    public func setPassword(_ id: AccountID, hash: String) throws {
        let changed = try connection.execute(
            "UPDATE account SET password = $1 WHERE id = $2", [.text(hash), .id(id)])
        if changed == 0 { throw MetadataError(.notFound, "there is no account \(id)") }
    }

    private static let columns = "id, name, password, master_key, wrapped_key, home, created"

    private static func record(_ row: SQLRow) throws -> AccountRecord {
        AccountRecord(
            id: try row.id(0), name: try row.text(1), passwordHash: try row.text(2), masterKey: try row.number(3),
            wrappedKey: try row.blob(4), home: try row.id(5), created: try row.time(6))
    }
}
