public import Model

/// Reads and writes where the blocks of accounts lie.
public struct BlockQueries {
    let connection: any MetadataConnection

    /// Works on a connection.
    public init(_ connection: any MetadataConnection) {
        self.connection = connection
    }

    /// Where those of `ids` lie that the account has.
    public func locations(_ ids: [BlockID], account: AccountID) throws -> [BlockID: StoredBlock] {
        var found: [BlockID: StoredBlock] = [:]
        try ChunkedList.forEach(ids) { chunk in
            let list = ChunkedList.parameters(from: 2, count: chunk.count)
            for row in try connection.query(
                "SELECT \(Self.columns) FROM block WHERE account = $1 AND id IN (\(list))",
                [.id(account)] + chunk.map(SQLValue.name))
            {
                let block = try Self.block(row)
                found[block.id] = block
            }
        }
        return found
    }

    /// Notes where durable blocks of an account lie. The first note of a block wins: a second copy is not noted, but for
    /// one of a block that lay in the archive, which is hot from then on. None of the blocks is condemned any more.
    /// - Throws: ``PackRemoved`` when a place is in a pack that is being removed: append again. Nothing is noted then.
    public func record(_ blocks: [StoredBlock], account: AccountID) throws {
        let collection = CollectionQueries(connection)
        try collection.keep(Set(blocks.map(\.pack)))
        try connection.executeMany(
            """
            INSERT INTO block (account, id, plain_length, pack, place, length) VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (account, id) DO UPDATE
            SET tier = 0, pack = excluded.pack, place = excluded.place, length = excluded.length WHERE block.tier = 1
            """,
            try blocks.map {
                [
                    .id(account), .name($0.id), .integer(Int64($0.plainLength)), .id($0.pack),
                    try .unsigned($0.offset), .integer(Int64($0.length)),
                ]
            })
        try collection.rescue(.block, blocks.map(\.id.digest), account: account)
    }

    /// Those of `ids` that the account does not have where they can be read at once, in the order asked, each once: whoever
    /// sends one of them gives it a hot copy. So no file becomes a current one by blocks that lie in the archive only.
    public func missing(_ ids: [BlockID], account: AccountID) throws -> [BlockID] {
        var present: Set<BlockID> = []
        try ChunkedList.forEach(ids) { chunk in
            let list = ChunkedList.parameters(from: 2, count: chunk.count)
            for row in try connection.query(
                "SELECT id FROM block WHERE account = $1 AND id IN (\(list)) AND tier = 0",
                [.id(account)] + chunk.map(SQLValue.name))
            {
                present.insert(try row.name(0))
            }
        }
        return ids.filter { present.insert($0).inserted }
    }

    /// The blocks that lie in a pack, of all accounts, by offset from `offset` on: what a check or a compaction reads.
    public func blocks(
        in pack: PackID, from offset: UInt64 = 0, limit: Int
    ) throws -> [(account: AccountID, block: StoredBlock)] {
        try connection.query(
            """
            SELECT \(Self.columns), account FROM block WHERE pack = $1 AND place >= $2 ORDER BY place, account, id
            LIMIT $3
            """,
            [.id(pack), try .unsigned(offset), .integer(Int64(limit))]
        ).map { (account: try $0.id(6), block: try Self.block($0)) }
    }

    static let columns = "id, plain_length, pack, place, length, tier"

    static func block(_ row: SQLRow) throws -> StoredBlock {
        guard let tier = BlockTier(rawValue: try row.integer(5)) else { throw row.unexpected(5, "a tier") }
        return StoredBlock(
            id: try row.name(0), plainLength: try row.number(1), pack: try row.id(2), offset: try row.number(3),
            length: try row.number(4), tier: tier)
    }
}
