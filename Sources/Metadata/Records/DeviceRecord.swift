public import Model

/// A device as the database keeps it.
public struct DeviceRecord: Hashable, Sendable {
    /// The device.
    public let id: DeviceID
    /// The account that it acts for.
    public let account: AccountID
    /// What people call it.
    public let name: String
    /// The hash of its token; the token itself is never kept.
    public let tokenHash: Digest
    /// When it logged in.
    public let created: Timestamp
    /// When its token was made worthless; nil while it is good.
    public let revoked: Timestamp?
    /// When it was last heard of; nil when it never was.
    public let lastSeen: Timestamp?

    /// Makes a record of its parts.
    public init(
        id: DeviceID, account: AccountID, name: String, tokenHash: Digest, created: Timestamp,
        revoked: Timestamp? = nil, lastSeen: Timestamp? = nil
    ) {
        self.id = id
        self.account = account
        self.name = name
        self.tokenHash = tokenHash
        self.created = created
        self.revoked = revoked
        self.lastSeen = lastSeen
    }
}
