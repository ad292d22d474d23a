public import Model

/// A device, and the account whose namespaces it follows.
public struct FollowingDevice: Hashable, Sendable {
    /// The device.
    public let device: DeviceID
    /// Its account.
    public let account: AccountID
    /// When it was revoked; nil while it follows anything.
    public let revoked: Timestamp?
}

extension DeviceQueries {
    /// The devices that follow each of some namespaces, revoked ones left out, as pairs in no particular order.
    /// - Complexity: O(pairs).
    public func following(_ namespaces: [NamespaceID]) throws -> [(namespace: NamespaceID, device: DeviceID)] {
        var found: [(namespace: NamespaceID, device: DeviceID)] = []
        try ChunkedList.forEach(namespaces) { chunk in
            let list = ChunkedList.parameters(from: 1, count: chunk.count)
            found += try connection.query(
                """
                SELECT namespace.id, device.id FROM namespace JOIN device ON device.account = namespace.owner
                WHERE namespace.id IN (\(list)) AND device.revoked IS NULL
                """,
                chunk.map { .id($0) }
            ).map { (namespace: try $0.id(0), device: try $0.id(1)) }
        }
        return found
    }

    /// The devices after one, by id, revoked ones too: page by page, every device that there is.
    public func page(after device: DeviceID?, atMost limit: Int) throws -> [FollowingDevice] {
        try connection.query(
            "SELECT id, account, revoked FROM device WHERE id > $1 ORDER BY id LIMIT $2",
            [device.map { .id($0) } ?? .blob([]), .integer(Int64(limit))]
        ).map { FollowingDevice(device: try $0.id(0), account: try $0.id(1), revoked: try $0.optionalTime(2)) }
    }

    /// The moment at which the list of an account's devices last changed as another of them sees it: one logged in or
    /// was revoked. Nil when `device` is the only one that there ever was.
    public func listChanged(of account: AccountID, asSeenBy device: DeviceID) throws -> Timestamp? {
        try connection.first(
            """
            SELECT MAX(CASE WHEN COALESCE(revoked, created) > created THEN revoked ELSE created END)
            FROM device WHERE account = $1 AND id <> $2
            """,
            [.id(account), .id(device)]
        ).flatMap { try $0.optionalTime(0) }
    }
}
