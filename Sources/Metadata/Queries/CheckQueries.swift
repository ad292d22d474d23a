public import Model

/// A version of a file whose bytes are kept.
public struct KeptFile: Hashable, Sendable {
    /// The node.
    public let node: NodeID
    /// From which revision on it was so.
    public let from: Revision
    /// The revision that ended it; nil at the head.
    public let end: Revision?
    /// Its bytes.
    public let content: Content

    /// Makes a version of its parts.
    public init(node: NodeID, from: Revision, end: Revision?, content: Content) {
        self.node = node
        self.from = from
        self.end = end
        self.content = content
    }
}

/// Reads what a check of everything goes through, page by page.
public struct CheckQueries {
    let connection: any MetadataConnection

    /// Works on a connection.
    public init(_ connection: any MetadataConnection) {
        self.connection = connection
    }

    /// The namespaces, with their owners, ordered. O(namespaces).
    public func namespaces() throws -> [(namespace: NamespaceID, owner: AccountID)] {
        try connection.query("SELECT id, owner FROM namespace ORDER BY id", []).map { (try $0.id(0), try $0.id(1)) }
    }

    /// The versions of files whose bytes are kept, by node and revision, from behind one on, at most `limit` of them.
    public func keptFiles(in namespace: NamespaceID, after last: KeptFile?, limit: Int) throws -> [KeptFile] {
        try connection.query(
            """
            SELECT node, valid_from, valid_to, level, digest, size FROM node
            WHERE namespace = $1 AND (node, valid_from) > ($2, $3) AND kind = 1 AND thinned IS NULL
            ORDER BY node, valid_from LIMIT $4
            """,
            [
                .id(namespace), .id(last?.node ?? .root), try .revision(last?.from ?? .zero),
                .integer(Int64(limit)),
            ]
        ).map { row in
            let id = ContentID(level: try row.number(3), digest: try row.digest(4))
            return KeptFile(
                node: try row.id(0), from: try row.revision(1),
                end: try row.optionalInteger(2).map { Revision(UInt64(clamping: $0)) },
                content: Content(id: id, size: try row.number(5)))
        }
    }

    /// The pack that follows another among those that rows of blocks name; nil behind the last.
    public func namedPack(after pack: PackID?) throws -> PackID? {
        let row =
            if let pack {
                try connection.first("SELECT pack FROM block WHERE pack > $1 ORDER BY pack LIMIT 1", [.id(pack)])
            } else {
                try connection.first("SELECT pack FROM block ORDER BY pack LIMIT 1", [])
            }
        return try row.map { try $0.id(0) }
    }

    /// Where the blocks of a pack lie; nil when no row names it. Packs of the tiers are not the same ones.
    public func tier(of pack: PackID) throws -> BlockTier? {
        try connection.first("SELECT tier FROM block WHERE pack = $1 LIMIT 1", [.id(pack)]).flatMap {
            BlockTier(rawValue: try $0.integer(0))
        }
    }

    /// The blocks that lie in a pack, in the order of their places, from behind one on, at most `limit` of them.
    public func blocks(
        in pack: PackID, after last: (account: AccountID, block: StoredBlock)?, limit: Int
    ) throws -> [(account: AccountID, block: StoredBlock)] {
        let none = [SQLValue.integer(-1), .blob([]), .blob([])]
        let start = try last.map { [try .unsigned($0.block.offset), SQLValue.id($0.account), .name($0.block.id)] }
        return try connection.query(
            """
            SELECT id, plain_length, pack, place, length, account FROM block
            WHERE pack = $1 AND place >= $2 AND (place, account, id) > ($2, $3, $4)
            ORDER BY place, account, id LIMIT $5
            """,
            [.id(pack)] + (start ?? none) + [.integer(Int64(limit))]
        ).map { (account: try $0.id(5), block: try Self.block($0)) }
    }

    /// Where the last record ends that a row names in a pack; nil when none does.
    public func end(of pack: PackID) throws -> UInt64? {
        let row = try connection.first(
            "SELECT place, length FROM block WHERE pack = $1 ORDER BY place DESC LIMIT 1", [.id(pack)])
        return try row.map { UInt64(clamping: try $0.integer(0)) + UInt64(clamping: try $0.integer(1)) }
    }

    /// The blocks of an account by id, from behind one on and up to one, at most `limit` of them.
    public func blocks(of account: AccountID, after last: BlockID?, upTo end: BlockID, limit: Int) throws
        -> [StoredBlock]
    {
        try connection.query(
            """
            SELECT id, plain_length, pack, place, length FROM block
            WHERE account = $1 AND id > $2 AND id <= $3 ORDER BY id LIMIT $4
            """,
            [.id(account), last.map { .name($0) } ?? .blob([]), .name(end), .integer(Int64(limit))]
        ).map(Self.block)
    }

    /// How many blocks an account has. O(blocks).
    public func blockCount(of account: AccountID) throws -> Int {
        try connection.first("SELECT COUNT(*) FROM block WHERE account = $1", [.id(account)]).map { try $0.number(0) }
            ?? 0
    }

    /// The pages of an account by id, from behind one on, at most `limit` of them.
    public func pages(of account: AccountID, after last: PageID?, limit: Int) throws -> [(id: PageID, bytes: [UInt8])] {
        try connection.query(
            "SELECT id, bytes FROM page WHERE account = $1 AND id > $2 ORDER BY id LIMIT $3",
            [.id(account), last.map { .name($0) } ?? .blob([]), .integer(Int64(limit))]
        ).map { (id: try $0.name(0), bytes: try $0.blob(1)) }
    }

    private static func block(_ row: SQLRow) throws -> StoredBlock {
        StoredBlock(
            id: try row.name(0), plainLength: try row.number(1), pack: try row.id(2), offset: try row.number(3),
            length: try row.number(4))
    }
}
