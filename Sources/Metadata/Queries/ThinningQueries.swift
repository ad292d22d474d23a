public import Model

/// Finds the past versions of files, and gives up their bytes.
public struct ThinningQueries {
    let connection: any MetadataConnection

    /// Works on a connection.
    public init(_ connection: any MetadataConnection) {
        self.connection = connection
    }

    /// The namespaces behind `after`, all for nil, with their owners, at most `limit` of them.
    public func namespaces(
        after: NamespaceID?, limit: Int
    ) throws -> [(namespace: NamespaceID, owner: AccountID)] {
        try connection.query(
            "SELECT id, owner FROM namespace WHERE id > $1 ORDER BY id LIMIT $2",
            [.blob(after?.bytes ?? []), .integer(Int64(limit))]
        ).map { (namespace: try $0.id(0), owner: try $0.id(1)) }
    }

    /// The nodes behind `after`, all for nil, that have past versions with bytes, in order, at most `limit` of them.
    /// - Complexity: O(rows of the namespace behind `after`, until enough are found).
    public func files(in namespace: NamespaceID, after: NodeID?, limit: Int) throws -> [NodeID] {
        try connection.query(
            """
            SELECT node FROM node
            WHERE namespace = $1 AND node > $2 AND valid_to IS NOT NULL AND thinned IS NULL AND kind = 1
            GROUP BY node ORDER BY node LIMIT $3
            """,
            [.id(namespace), .blob(after?.bytes ?? []), .integer(Int64(limit))]
        ).map { try $0.id(0) }
    }

    /// All states that a node ever had, in order; all of them are in memory, at some 200 bytes each.
    /// - Throws: ``MetadataError`` `corrupt` when the journal does not tell when one began or ended.
    public func states(of node: NodeID, in namespace: NamespaceID) throws -> [FileState] {
        try connection.query(Self.statesStatement, [.id(namespace), .id(node)]).map(Self.state)
    }

    private static let statesStatement = """
        SELECT valid_from, valid_to, level, digest, size, parent, name, thinned,
            (SELECT time FROM journal WHERE journal.namespace = $1 AND journal.revision = node.valid_from),
            (SELECT device FROM journal WHERE journal.namespace = $1 AND journal.revision = node.valid_from),
            (SELECT time FROM journal WHERE journal.namespace = $1 AND journal.revision = node.valid_to),
            CASE WHEN EXISTS (
                SELECT 1 FROM pin WHERE pin.namespace = $1 AND pin.node = $2 AND pin.revision >= node.valid_from
                    AND (node.valid_to IS NULL OR pin.revision < node.valid_to)) THEN 1 ELSE 0 END
        FROM node WHERE namespace = $1 AND node = $2 ORDER BY valid_from
        """

    private static func state(_ row: SQLRow) throws -> FileState {
        var content: Content?
        if !row.isNull(3) {
            content = Content(
                id: ContentID(level: try row.number(2), digest: try row.digest(3)), size: try row.number(4))
        }
        let to: Revision? = row.isNull(1) ? nil : try row.revision(1)
        return FileState(
            from: try row.revision(0), to: to, content: content, began: try row.time(8),
            ended: to == nil ? nil : try row.time(10), device: try row.id(9), parent: try row.id(5),
            name: try row.nodeName(6), isPinned: try row.integer(11) != 0, isThinned: !row.isNull(7))
    }

    /// The folder that a node is in, or was in at last, and its name there; nil for one that never was.
    public func lastPlace(of node: NodeID, in namespace: NamespaceID) throws -> (parent: NodeID, name: NodeName)? {
        try connection.first(
            "SELECT parent, name FROM node WHERE namespace = $1 AND node = $2 ORDER BY valid_from DESC LIMIT 1",
            [.id(namespace), .id(node)]
        ).map { (parent: try $0.id(0), name: try $0.nodeName(1)) }
    }

    /// Gives up the bytes of one version: of the states that began at `past`, all with the same bytes, between the revisions
    /// `from` and `to`. What must not go does not, whatever was found out before: present states, folders and links, what was
    /// pinned meanwhile, and bytes that the file has again.
    /// - Returns: how many states that were.
    public func thin(
        _ node: NodeID, in namespace: NamespaceID, past: [Revision], from: Revision, to: Revision, at time: Timestamp
    ) throws -> Int {
        try connection.executeMany(
            Self.thinStatement,
            try past.map {
                [
                    .time(time), .id(namespace), .id(node), try .revision($0), try .revision(from),
                    try .revision(to),
                ]
            })
    }

    private static let thinStatement = """
        UPDATE node SET thinned = $1
        WHERE namespace = $2 AND node = $3 AND valid_from = $4
            AND valid_to IS NOT NULL AND thinned IS NULL AND kind = 1
            AND NOT EXISTS (
                SELECT 1 FROM pin WHERE pin.namespace = $2 AND pin.node = $3
                    AND pin.revision >= $5 AND pin.revision < $6)
            AND NOT EXISTS (
                SELECT 1 FROM node AS present
                WHERE present.namespace = $2 AND present.node = $3 AND present.valid_to IS NULL
                    AND present.level = node.level AND present.digest = node.digest)
        """

    /// The bytes of the states of files, kept or given up, behind a place in the order of nodes and revisions, at most
    /// `limit` of them.
    public func bytes(
        in namespace: NamespaceID, after node: NodeID?, _ from: Revision, limit: Int
    ) throws -> [StateBytes] {
        try connection.query(
            """
            SELECT node, valid_from, valid_to, level, digest, size, parent, thinned FROM node
            WHERE namespace = $1 AND (node, valid_from) > ($2, $3) AND kind = 1
            ORDER BY node, valid_from LIMIT $4
            """,
            [.id(namespace), .blob(node?.bytes ?? []), try .revision(from), .integer(Int64(limit))]
        ).map { row in
            StateBytes(
                node: try row.id(0), from: try row.revision(1), isHead: row.isNull(2), isKept: row.isNull(7),
                content: Content(
                    id: ContentID(level: try row.number(3), digest: try row.digest(4)), size: try row.number(5)),
                parent: try row.id(6))
        }
    }
}
