public import Model

/// Moves blocks between the tiers, and knows when they were read.
public struct ArchiveQueries {
    let connection: any MetadataConnection

    /// Works on a connection.
    public init(_ connection: any MetadataConnection) {
        self.connection = connection
    }

    /// Those of `ids` that lie hot and may leave: nobody read them on `unreadSince` or later, nor are they kept on `today`.
    /// A block that was kept once and is no more is not asked when it was read.
    public func movable(
        _ ids: [BlockID], account: AccountID, unreadSince: Day, today: Day
    ) throws -> [BlockID: StoredBlock] {
        var found: [BlockID: StoredBlock] = [:]
        try ChunkedList.forEach(ids) { chunk in
            let list = ChunkedList.parameters(from: 4, count: chunk.count)
            for row in try connection.query(
                """
                SELECT \(BlockQueries.columns) FROM block WHERE account = $1 AND id IN (\(list)) AND tier = 0
                    AND (kept_day < $2 OR kept_day IS NULL AND (read_day IS NULL OR read_day < $3))
                """,
                [.id(account), .integer(today.number), .integer(unreadSince.number)] + chunk.map(SQLValue.name))
            {
                let block = try BlockQueries.block(row)
                found[block.id] = block
            }
        }
        return found
    }

    /// Whether any of the blocks was read on `readSince` or later, or is kept on `today`.
    public func areInUse(_ ids: [BlockID], account: AccountID, readSince: Day, today: Day) throws -> Bool {
        var inUse = false
        try ChunkedList.forEach(ids) { chunk in
            if inUse { return }
            let list = ChunkedList.parameters(from: 4, count: chunk.count)
            inUse =
                try connection.first(
                    """
                    SELECT 1 FROM block WHERE account = $1 AND id IN (\(list))
                        AND (kept_day >= $2 OR kept_day IS NULL AND read_day >= $3)
                    LIMIT 1
                    """,
                    [.id(account), .integer(today.number), .integer(readSince.number)] + chunk.map(SQLValue.name))
                != nil
        }
        return inUse
    }

    /// Lets blocks of an account lie in the archive from now on; one that lies elsewhere than it did, or is kept on
    /// `today`, is left alone.
    /// - Returns: how many were moved.
    public func archive(_ moves: [BlockMove], account: AccountID, today: Day) throws -> Int {
        try connection.executeMany(
            """
            UPDATE block SET tier = 1, pack = $1, place = $2, length = $3, read_day = NULL, kept_day = NULL
            WHERE account = $4 AND id = $5 AND tier = 0 AND pack = $6 AND place = $7
                AND (kept_day IS NULL OR kept_day < $8)
            """,
            try moves.map { try Self.values($0, account) + [.integer(today.number)] })
    }

    /// Lets blocks of an account lie hot from now on, and stay so up to a day; one that is no longer where it was in the
    /// archive is left alone, and so is one whose new pack is being removed.
    /// - Returns: how many were moved.
    public func bringBack(_ moves: [BlockMove], account: AccountID, keeping day: Day) throws -> Int {
        try connection.executeMany(
            """
            UPDATE block SET tier = 0, pack = $1, place = $2, length = $3, kept_day = $8
            WHERE account = $4 AND id = $5 AND tier = 1 AND pack = $6 AND place = $7
                AND NOT EXISTS (SELECT 1 FROM doomed_pack WHERE doomed_pack.pack = $1 AND doomed_pack.state = 1)
            """,
            try moves.map { try Self.values($0, account) + [.integer(day.number)] })
    }

    private static func values(_ move: BlockMove, _ account: AccountID) throws -> [SQLValue] {
        [
            .id(move.pack), try .unsigned(move.offset), .integer(Int64(move.length)), .id(account),
            .name(move.from.id), .id(move.from.pack), try .unsigned(move.from.offset),
        ]
    }

    /// Keeps those of `ids` that lie hot where they are, up to a day: something is about to need them.
    public func keep(_ ids: [BlockID], account: AccountID, until day: Day) throws {
        try connection.executeMany(
            """
            UPDATE block SET kept_day = $1
            WHERE account = $2 AND id = $3 AND tier = 0 AND (kept_day IS NULL OR kept_day < $1)
            """,
            ids.map { [.integer(day.number), .id(account), .name($0)] })
    }

    /// Notes that blocks were read on a day. What was kept until before it is judged by its readings again.
    public func noteReads(_ ids: [BlockID], account: AccountID, on day: Day) throws {
        try connection.executeMany(
            """
            UPDATE block SET read_day = $1, kept_day = CASE WHEN kept_day < $1 THEN NULL ELSE kept_day END
            WHERE account = $2 AND id = $3 AND tier = 0 AND (read_day IS NULL OR read_day < $1)
            """,
            ids.map { [.integer(day.number), .id(account), .name($0)] })
    }

    /// Whether an account has anything in the archive.
    public func hasAny(_ account: AccountID) throws -> Bool {
        try connection.first("SELECT 1 FROM block WHERE account = $1 AND tier = 1 LIMIT 1", [.id(account)]) != nil
    }

    /// Whether a block lies in this pack of the archive.
    public func isNamed(_ pack: PackID) throws -> Bool {
        try connection.first("SELECT 1 FROM block WHERE pack = $1 AND tier = 1 LIMIT 1", [.id(pack)]) != nil
    }

    /// How many blocks an account has in the archive, and their sealed bytes. O(those blocks).
    public func total(of account: AccountID) throws -> (blocks: Int, bytes: Int64) {
        let statement = connection.dialect.render(
            "SELECT count(*), CAST(coalesce(sum(length), 0) AS {integer}) FROM block WHERE account = $1 AND tier = 1")
        guard let row = try connection.first(statement, [.id(account)]) else { return (0, 0) }
        return (try row.number(0), try row.integer(1))
    }
}
