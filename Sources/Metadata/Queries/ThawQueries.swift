public import Model

/// Reads and writes who waits for what of the archive.
public struct ThawQueries {
    private let connection: any MetadataConnection

    /// Works on a connection.
    public init(_ connection: any MetadataConnection) {
        self.connection = connection
    }

    /// Adds requests. One that waits already stays as it is; one that has ended waits anew.
    public func ask(_ requests: [ThawRequest]) throws {
        try connection.executeMany(
            """
            INSERT INTO thaw (account, level, digest, device, state, requested, ready) VALUES ($1, $2, $3, $4, 0, $5, $6)
            ON CONFLICT (account, level, digest, device) DO UPDATE
            SET state = 0, requested = excluded.requested, ready = excluded.ready, expires = NULL WHERE thaw.state <> 0
            """,
            requests.map {
                [
                    .id($0.account), .integer(Int64($0.content.level)), .digest($0.content.digest), .id($0.device),
                    .time($0.requested), .time($0.ready),
                ]
            })
    }

    /// What a device has asked for of some contents.
    public func requests(
        for contents: [ContentID], account: AccountID, device: DeviceID
    ) throws -> [ContentID: ThawRequest] {
        var found: [ContentID: ThawRequest] = [:]
        for (level, group) in Dictionary(grouping: contents, by: \.level) {
            try ChunkedList.forEach(group) { chunk in
                let list = ChunkedList.parameters(from: 4, count: chunk.count)
                for row in try connection.query(
                    """
                    SELECT \(Self.columns) FROM thaw
                    WHERE account = $1 AND level = $2 AND device = $3 AND digest IN (\(list))
                    """,
                    [.id(account), .integer(Int64(level)), .id(device)] + chunk.map { .digest($0.digest) })
                {
                    let request = try Self.request(row)
                    found[request.content] = request
                }
            }
        }
        return found
    }

    /// The requests that wait and may have become ready by a moment, those that are expected first before the others.
    public func due(by moment: Timestamp, limit: Int) throws -> [ThawRequest] {
        // Of two orders for two kinds of rows one statement would sort.
        let new = try connection.query(
            """
            SELECT \(Self.columns) FROM thaw WHERE state = 0 AND ready IS NULL ORDER BY requested LIMIT $1
            """, [.integer(Int64(limit))]
        ).map(Self.request)
        return try new
            + connection.query(
                "SELECT \(Self.columns) FROM thaw WHERE state = 0 AND ready <= $1 ORDER BY ready LIMIT $2",
                [.time(moment), .integer(Int64(limit))]
            ).map(Self.request)
    }

    /// When the next of those that wait is expected; nil when none is.
    public func nextReady() throws -> Timestamp? {
        try connection.first(
            "SELECT ready FROM thaw WHERE state = 0 AND ready IS NOT NULL ORDER BY ready LIMIT 1", []
        ).map { try $0.time(0) }
    }

    /// Notes when requests are expected to be ready.
    public func expect(_ requests: [ThawRequest], at moment: Timestamp) throws {
        try connection.executeMany(
            """
            UPDATE thaw SET ready = $1 WHERE account = $2 AND level = $3 AND digest = $4 AND device = $5 AND state = 0
            """,
            requests.map { [.time(moment)] + Self.key($0) })
    }

    /// Ends requests: they are remembered until a moment.
    /// - Returns: those that waited until now.
    public func end(
        _ requests: [ThawRequest], as state: ThawRequest.State, at moment: Timestamp, until expires: Timestamp
    ) throws -> [ThawRequest] {
        try requests.filter { request in
            try connection.execute(
                """
                UPDATE thaw SET state = $1, ready = $2, expires = $3
                WHERE account = $4 AND level = $5 AND digest = $6 AND device = $7 AND state = 0
                """, [.integer(state.rawValue), .time(moment), .time(expires)] + Self.key(request)) > 0
        }
    }

    /// Forgets the requests that ended and whose time is over.
    /// - Returns: how many there were.
    @discardableResult
    public func forget(before moment: Timestamp) throws -> Int {
        try connection.execute("DELETE FROM thaw WHERE state <> 0 AND expires < $1", [.time(moment)])
    }

    /// How many requests there are of each state. O(requests).
    public func counts() throws -> [ThawRequest.State: Int] {
        var counts: [ThawRequest.State: Int] = [:]
        for row in try connection.query("SELECT state, count(*) FROM thaw GROUP BY state", []) {
            guard let state = ThawRequest.State(rawValue: try row.integer(0)) else {
                throw row.unexpected(0, "a state")
            }
            counts[state] = try row.number(1)
        }
        return counts
    }

    private static let columns = "account, level, digest, device, state, requested, ready, expires"

    private static func key(_ request: ThawRequest) -> [SQLValue] {
        [
            .id(request.account), .integer(Int64(request.content.level)), .digest(request.content.digest),
            .id(request.device),
        ]
    }

    private static func request(_ row: SQLRow) throws -> ThawRequest {
        guard let state = ThawRequest.State(rawValue: try row.integer(4)) else { throw row.unexpected(4, "a state") }
        return ThawRequest(
            account: try row.id(0), content: ContentID(level: try row.number(1), digest: try row.digest(2)),
            device: try row.id(3), state: state, requested: try row.time(5), ready: try row.optionalTime(6),
            expires: try row.optionalTime(7))
    }
}
