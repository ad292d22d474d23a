public import Model

/// An account as the database keeps it.
public struct AccountRecord: Hashable, Sendable {
    /// The account.
    public let id: AccountID
    /// The name it logs in with; no two accounts share one.
    public let name: String
    /// The password, hashed by whoever made the record.
    public var passwordHash: String
    /// The version of the master key that wraps the account's key.
    public var masterKey: UInt32
    /// The account's key, wrapped.
    public var wrappedKey: [UInt8]
    /// Its home namespace.
    public let home: NamespaceID
    /// When it was made.
    public let created: Timestamp

    /// Makes a record of its parts.
    public init(
        id: AccountID, name: String, passwordHash: String, masterKey: UInt32, wrappedKey: [UInt8],
        home: NamespaceID, created: Timestamp
    ) {
        self.id = id
        self.name = name
        self.passwordHash = passwordHash
        self.masterKey = masterKey
        self.wrappedKey = wrappedKey
        self.home = home
        self.created = created
    }
}
