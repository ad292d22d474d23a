public import Model

/// Reads the versions of nodes, with what ended each and whether its bytes are kept.
public struct VersionQueries {
    let connection: any MetadataConnection

    /// Works on a connection.
    public init(_ connection: any MetadataConnection) {
        self.connection = connection
    }

    /// The versions of a node that began before a revision, or all for nil, newest first, at most `limit` of them.
    public func versions(
        of node: NodeID, in namespace: NamespaceID, before: Revision? = nil, limit: Int
    ) throws -> [NodeVersion] {
        try connection.query(
            """
            SELECT \(Self.columns) FROM node WHERE namespace = $1 AND node = $2 AND valid_from < $3
            ORDER BY valid_from DESC LIMIT $4
            """,
            [
                .id(namespace), .id(node), try .revision(before ?? Revision(UInt64(Int64.max))),
                .integer(Int64(limit)),
            ]
        ).map(Self.version)
    }

    /// The version that a node had at a revision; nil when it was not there.
    public func version(of node: NodeID, in namespace: NamespaceID, at revision: Revision) throws -> NodeVersion? {
        let latest = try connection.first(
            """
            SELECT \(Self.columns) FROM node WHERE namespace = $1 AND node = $2 AND valid_from <= $3
            ORDER BY valid_from DESC LIMIT 1
            """,
            [.id(namespace), .id(node), try .revision(revision)]
        ).map(Self.version)
        guard let latest, latest.ended.map({ $0 > revision }) ?? true else { return nil }
        return latest
    }

    /// The versions that some nodes had at a revision. Those that were not there are left out.
    public func versions(
        of nodes: [NodeID], in namespace: NamespaceID, at revision: Revision
    ) throws -> [NodeID: NodeVersion] {
        try newest(of: nodes, in: namespace, upTo: revision).filter { _, version in
            version.ended.map { $0 > revision } ?? true
        }
    }

    /// The last that the namespace knows of some nodes. Those that never were are left out.
    public func histories(of nodes: [NodeID], in namespace: NamespaceID) throws -> [NodeID: NodeHistory] {
        try newest(of: nodes, in: namespace, upTo: Revision(UInt64(Int64.max))).mapValues { version in
            NodeHistory(latest: version.record, removed: version.ended)
        }
    }

    /// The newest versions of some nodes that began at a revision or before.
    private func newest(
        of nodes: [NodeID], in namespace: NamespaceID, upTo revision: Revision
    ) throws -> [NodeID: NodeVersion] {
        let type = connection.dialect.bytesType
        var found: [NodeID: NodeVersion] = [:]
        try ChunkedList.forEach(nodes) { chunk in
            let list = ChunkedList.rows(from: 3, count: chunk.count, width: 1)
            let rows = try connection.query(
                """
                WITH wanted (node) AS (VALUES \(list))
                SELECT \(Self.qualifiedColumns) FROM wanted JOIN node
                ON node.namespace = $1 AND node.node = CAST(wanted.node AS \(type)) AND node.valid_from = (
                    SELECT MAX(earlier.valid_from) FROM node AS earlier
                    WHERE earlier.namespace = $1 AND earlier.node = CAST(wanted.node AS \(type))
                        AND earlier.valid_from <= $2)
                """,
                [.id(namespace), try .revision(revision)] + chunk.map(SQLValue.id))
            for row in rows {
                let version = try Self.version(row)
                found[version.record.node] = version
            }
        }
        return found
    }

    /// The versions of a node next to a revision whose bytes are kept: the last that began before it and the first that
    /// began after it.
    public func keptVersions(
        around revision: Revision, of node: NodeID, in namespace: NamespaceID
    ) throws -> (before: Revision?, after: Revision?) {
        let values: [SQLValue] = [.id(namespace), .id(node), try .revision(revision)]
        let before = try connection.first(
            """
            SELECT valid_from FROM node WHERE namespace = $1 AND node = $2 AND valid_from < $3 AND thinned IS NULL
            ORDER BY valid_from DESC LIMIT 1
            """, values)
        let after = try connection.first(
            """
            SELECT valid_from FROM node WHERE namespace = $1 AND node = $2 AND valid_from > $3 AND thinned IS NULL
            ORDER BY valid_from LIMIT 1
            """, values)
        return (try before.map { try $0.revision(0) }, try after.map { try $0.revision(0) })
    }

    /// Those of some versions, each named by its node and the revision that made it, whose bytes were given up.
    public func thinned(
        among versions: [ChangePosition], in namespace: NamespaceID
    ) throws -> Set<ChangePosition> {
        let type = connection.dialect.bytesType
        var found: Set<ChangePosition> = []
        try ChunkedList.forEach(versions) { chunk in
            let list = ChunkedList.rows(from: 2, count: chunk.count, width: 2)
            let rows = try connection.query(
                """
                WITH wanted (node, revision) AS (VALUES \(list))
                SELECT node.valid_from, node.node FROM wanted JOIN node
                ON node.namespace = $1 AND node.node = CAST(wanted.node AS \(type))
                    AND node.valid_from = wanted.revision AND node.thinned IS NOT NULL
                """,
                [.id(namespace)] + chunk.flatMap { [SQLValue.id($0.node), try SQLValue.revision($0.revision)] })
            for row in rows { found.insert(ChangePosition(revision: try row.revision(0), node: try row.id(1))) }
        }
        return found
    }

    /// What is ``NodeRow/columns`` and then tells of the version.
    static let columns = NodeRow.columns + ", valid_to, thinned"
    static let qualifiedColumns = NodeRow.qualifiedColumns + ", node.valid_to, node.thinned"

    static func version(_ row: SQLRow) throws -> NodeVersion {
        NodeVersion(
            record: try NodeRow.record(row), ended: row.isNull(11) ? nil : try row.revision(11),
            thinned: try row.optionalTime(12))
    }
}
