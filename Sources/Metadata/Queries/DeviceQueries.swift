public import Model

/// Reads and writes devices.
public struct DeviceQueries {
    let connection: any MetadataConnection

    /// Works on a connection.
    public init(_ connection: any MetadataConnection) {
        self.connection = connection
    }

    /// Adds a device.
    /// - Throws: ``MetadataError`` `alreadyExists` when the id or the hash of the token is taken, `constraint` when
    ///   there is no such account.
    public func create(_ device: DeviceRecord) throws {
        try connection.execute(
            """
            INSERT INTO device (id, account, name, token_hash, created, revoked, last_seen)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            """,
            [
                .id(device.id), .id(device.account), .text(device.name), .digest(device.tokenHash),
                .time(device.created), .time(device.revoked), .time(device.lastSeen),
            ])
    }

    /// The device whose token has this hash; nil when there is none, or when it is revoked.
    public func byTokenHash(_ hash: Digest) throws -> DeviceRecord? {
        try connection.first(
            "SELECT \(Self.columns) FROM device WHERE token_hash = $1 AND revoked IS NULL", [.digest(hash)]
        ).map(Self.record)
    }

    /// Whether the token of this hash was good once and is revoked.
    public func isRevoked(tokenHash hash: Digest) throws -> Bool {
        try connection.first("SELECT 1 FROM device WHERE token_hash = $1 AND revoked IS NOT NULL", [.digest(hash)])
            != nil
    }

    /// The device of an id, revoked or not; nil when there is none.
    public func byID(_ id: DeviceID) throws -> DeviceRecord? {
        try connection.first("SELECT \(Self.columns) FROM device WHERE id = $1", [.id(id)]).map(Self.record)
    }

    /// All devices of an account, revoked ones too, oldest first.
    public func all(of account: AccountID) throws -> [DeviceRecord] {
        try connection.query(
            "SELECT \(Self.columns) FROM device WHERE account = $1 ORDER BY created, id", [.id(account)]
        ).map(Self.record)
    }

    /// Makes the token of a device worthless, for good. Revoking it again keeps the first moment.
    /// - Throws: ``MetadataError`` `notFound` when there is no such device.
    public func revoke(_ id: DeviceID, at time: Timestamp) throws {
        let changed = try connection.execute(
            "UPDATE device SET revoked = COALESCE(revoked, $1) WHERE id = $2", [.time(time), .id(id)])
        if changed == 0 { throw MetadataError(.notFound, "there is no device \(id)") }
    }

    /// Notes that a device was heard of. Nothing happens when there is no such device, or a later moment is noted.
    public func touch(_ id: DeviceID, at time: Timestamp) throws {
        try connection.execute(
            "UPDATE device SET last_seen = $1 WHERE id = $2 AND (last_seen IS NULL OR last_seen < $1)",
            [.time(time), .id(id)])
    }

    private static let columns = "id, account, name, token_hash, created, revoked, last_seen"

    private static func record(_ row: SQLRow) throws -> DeviceRecord {
        DeviceRecord(
            id: try row.id(0), account: try row.id(1), name: try row.text(2), tokenHash: try row.digest(3),
            created: try row.time(4), revoked: try row.optionalTime(5), lastSeen: try row.optionalTime(6))
    }
}
