public import Model

/// What may be condemned; the raw values are those of the table.
public enum CondemnedKind: Int64, Hashable, Sendable, CaseIterable {
    /// A page of a recipe.
    case page = 0
    /// A block.
    case block = 1

    /// The table that has the rows of this kind.
    var table: String {
        switch self {
        case .page: "page"
        case .block: "block"
        }
    }
}

/// Reads and writes what is about to be removed: pages and blocks that nothing names.
///
/// A row of a page or a block is removed only while it is condemned, by ``sweep(_:_:account:condemnedBy:)``. Whoever
/// names it again takes it out by ``rescue(_:_:account:)``, in the transaction that names it.
public struct CollectionQueries {
    let connection: any MetadataConnection

    /// Works on a connection.
    public init(_ connection: any MetadataConnection) {
        self.connection = connection
    }

    // MARK: For those who name things

    /// Takes things out of what is condemned; those that are not in it are left alone. When nothing of the account is
    /// condemned this is one look at an empty place.
    /// - Returns: how many were condemned.
    @discardableResult
    public func rescue(_ kind: CondemnedKind, _ ids: [Digest], account: AccountID) throws -> Int {
        guard !ids.isEmpty, try hasCondemned(kind, account: account) else { return 0 }
        return try release(kind, ids, account: account)
    }

    /// The same for blocks and pages by their names.
    public func rescue(blocks: [BlockID], pages: [PageID], account: AccountID) throws {
        try rescue(.block, blocks.map(\.digest), account: account)
        try rescue(.page, pages.map(\.digest), account: account)
    }

    /// Whether anything of an account is condemned.
    public func hasCondemned(_ kind: CondemnedKind, account: AccountID) throws -> Bool {
        try connection.first(
            "SELECT 1 FROM condemned WHERE account = $1 AND kind = $2 LIMIT 1", [.id(account), .integer(kind.rawValue)]
        ) != nil
    }

    // MARK: For the collector

    /// Takes things out of what is condemned.
    /// - Returns: how many were condemned.
    @discardableResult
    public func release(_ kind: CondemnedKind, _ ids: [Digest], account: AccountID) throws -> Int {
        var released = 0
        try ChunkedList.forEach(ids) { chunk in
            let list = ChunkedList.parameters(from: 3, count: chunk.count)
            released += try connection.execute(
                "DELETE FROM condemned WHERE account = $1 AND kind = $2 AND id IN (\(list))",
                [.id(account), .integer(kind.rawValue)] + chunk.map(SQLValue.digest))
        }
        return released
    }

    /// Condemns things; for those that are condemned already the time stays.
    /// - Returns: how many were not condemned before.
    @discardableResult
    public func condemn(_ kind: CondemnedKind, _ ids: [Digest], account: AccountID, at time: Timestamp) throws -> Int {
        try connection.executeMany(
            """
            INSERT INTO condemned (account, kind, id, since) VALUES ($1, $2, $3, $4)
            ON CONFLICT (account, kind, id) DO NOTHING
            """,
            ids.map { [.id(account), .integer(kind.rawValue), .digest($0), .time(time)] })
    }

    /// What of a range is condemned, ordered, with since when: at most `limit` from behind `last` on.
    public func condemned(
        _ kind: CondemnedKind, account: AccountID, in range: DigestRange, after last: Digest? = nil, limit: Int
    ) throws -> [(id: Digest, since: Timestamp)] {
        try connection.query(
            """
            SELECT id, since FROM condemned
            WHERE account = $1 AND kind = $2 AND id \(last == nil ? ">=" : ">") $3 AND id <= $4 ORDER BY id LIMIT $5
            """,
            [
                .id(account), .integer(kind.rawValue), .digest(last ?? range.lower), .digest(range.upper),
                .integer(Int64(limit)),
            ]
        ).map { (id: try $0.digest(0), since: try $0.time(1)) }
    }

    /// What an account has in a range and is not condemned, ordered: at most `limit` from behind `last` on.
    public func uncondemned(
        _ kind: CondemnedKind, account: AccountID, in range: DigestRange, after last: Digest? = nil, limit: Int
    ) throws -> [Digest] {
        try connection.query(
            """
            SELECT id FROM \(kind.table) AS present
            WHERE account = $1 AND id \(last == nil ? ">=" : ">") $2 AND id <= $3 AND NOT EXISTS
                (SELECT 1 FROM condemned WHERE account = $1 AND kind = $4 AND id = present.id)
            ORDER BY id LIMIT $5
            """,
            [
                .id(account), .digest(last ?? range.lower), .digest(range.upper), .integer(kind.rawValue),
                .integer(Int64(limit)),
            ]
        ).map { try $0.digest(0) }
    }

    /// Removes those of `ids` that are still condemned, and were by a time: their rows, and that they are condemned.
    /// - Returns: how many went, and the sealed bytes of the blocks among them.
    public func sweep(
        _ kind: CondemnedKind, _ ids: [Digest], account: AccountID, condemnedBy time: Timestamp
    ) throws -> (count: Int, bytes: UInt64) {
        var dead: Set<Digest> = []
        try ChunkedList.forEach(ids) { chunk in
            let list = ChunkedList.parameters(from: 4, count: chunk.count)
            for row in try connection.query(
                """
                DELETE FROM condemned WHERE account = $1 AND kind = $2 AND since <= $3 AND id IN (\(list)) RETURNING id
                """, [.id(account), .integer(kind.rawValue), .time(time)] + chunk.map(SQLValue.digest))
            {
                dead.insert(try row.digest(0))
            }
        }
        return try remove(kind, dead.sorted(), account: account)
    }

    private func remove(
        _ kind: CondemnedKind, _ ids: [Digest], account: AccountID
    ) throws -> (count: Int, bytes: UInt64) {
        var (count, bytes) = (0, UInt64(0))
        let size = kind == .block ? "length" : "0"
        try ChunkedList.forEach(ids) { chunk in
            let list = ChunkedList.parameters(from: 2, count: chunk.count)
            for row in try connection.query(
                "DELETE FROM \(kind.table) WHERE account = $1 AND id IN (\(list)) RETURNING \(size)",
                [.id(account)] + chunk.map(SQLValue.digest))
            {
                count += 1
                bytes += try row.number(0)
            }
        }
        return (count, bytes)
    }

    /// How many things of all accounts are condemned. O(condemned).
    public func condemnedCount() throws -> Int {
        try connection.first("SELECT COUNT(*) FROM condemned", []).map { try $0.number(0) } ?? 0
    }
}
