public import Model

/// Reads and writes the pages of recipes. Each is kept once for each account.
public struct PageQueries {
    private let connection: any MetadataConnection

    /// Works on a connection.
    public init(_ connection: any MetadataConnection) {
        self.connection = connection
    }

    /// Keeps pages for an account; what is there already is left alone. None of them is condemned any more.
    public func store(_ pages: [(PageID, [UInt8])], account: AccountID) throws {
        try connection.executeMany(
            "INSERT INTO page (account, id, bytes) VALUES ($1, $2, $3) ON CONFLICT (account, id) DO NOTHING",
            pages.map { [.id(account), .name($0.0), .blob($0.1)] })
        try CollectionQueries(connection).rescue(.page, pages.map(\.0.digest), account: account)
    }

    /// The bytes of a page of an account; nil when it has none of that id.
    public func load(_ id: PageID, account: AccountID) throws -> [UInt8]? {
        try connection.first("SELECT bytes FROM page WHERE account = $1 AND id = $2", [.id(account), .name(id)])
            .map { try $0.blob(0) }
    }

    /// The bytes of those of `ids` that the account has.
    public func load(_ ids: [PageID], account: AccountID) throws -> [PageID: [UInt8]] {
        var found: [PageID: [UInt8]] = [:]
        try ChunkedList.forEach(ids) { chunk in
            let list = ChunkedList.parameters(from: 2, count: chunk.count)
            for row in try connection.query(
                "SELECT id, bytes FROM page WHERE account = $1 AND id IN (\(list))",
                [.id(account)] + chunk.map(SQLValue.name))
            {
                found[try row.name(0)] = try row.blob(1)
            }
        }
        return found
    }

    /// Those of `ids` that the account does not have, in the order asked, each once.
    public func missing(_ ids: [PageID], account: AccountID) throws -> [PageID] {
        var present: Set<PageID> = []
        try ChunkedList.forEach(ids) { chunk in
            let list = ChunkedList.parameters(from: 2, count: chunk.count)
            for row in try connection.query(
                "SELECT id FROM page WHERE account = $1 AND id IN (\(list))",
                [.id(account)] + chunk.map(SQLValue.name))
            {
                present.insert(try row.name(0))
            }
        }
        return ids.filter { present.insert($0).inserted }
    }
}
