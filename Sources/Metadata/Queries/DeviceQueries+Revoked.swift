public import Model

extension DeviceQueries {
    /// The devices that were revoked at a moment or after it, the newest first, at most `limit`.
    public func revoked(since time: Timestamp, atMost limit: Int) throws -> [DeviceID] {
        try connection.query(
            "SELECT id FROM device WHERE revoked IS NOT NULL AND revoked >= $1 ORDER BY revoked DESC LIMIT $2",
            [.time(time), .integer(Int64(limit))]
        ).map { try $0.id(0) }
    }
}
