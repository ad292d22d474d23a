public import Model

/// Reads the tree of a namespace, at its head or as it was at any revision.
public struct NodeQueries {
    let connection: any MetadataConnection

    /// Works on a connection.
    public init(_ connection: any MetadataConnection) {
        self.connection = connection
    }

    /// A node as it was at a revision, or is at the head for nil; nil when it is not there. The root has no record.
    public func node(_ id: NodeID, in namespace: NamespaceID, at revision: Revision? = nil) throws -> NodeRecord? {
        guard let revision else {
            return try connection.first(
                "SELECT \(NodeRow.columns) FROM node WHERE namespace = $1 AND node = $2 AND valid_to IS NULL",
                [.id(namespace), .id(id)]
            ).map(NodeRow.record)
        }
        return try connection.first(
            """
            SELECT \(NodeRow.columns) FROM node
            WHERE namespace = $1 AND node = $2 AND valid_from <= $3 AND (valid_to IS NULL OR valid_to > $3)
            """,
            [.id(namespace), .id(id), try .revision(revision)]
        ).map(NodeRow.record)
    }

    /// The nodes of `ids` that are there at the head. The root has no record.
    public func nodes(_ ids: [NodeID], in namespace: NamespaceID) throws -> [NodeID: NodeRecord] {
        var found: [NodeID: NodeRecord] = [:]
        try ChunkedList.forEach(ids) { chunk in
            let list = ChunkedList.parameters(from: 2, count: chunk.count)
            for row in try connection.query(
                """
                SELECT \(NodeRow.columns) FROM node WHERE namespace = $1 AND node IN (\(list)) AND valid_to IS NULL
                """,
                [.id(namespace)] + chunk.map(SQLValue.id))
            {
                let record = try NodeRow.record(row)
                found[record.node] = record
            }
        }
        return found
    }

    /// The entry of a name in a folder; nil when there is none.
    public func child(
        _ parent: NodeID, _ name: NodeName, in namespace: NamespaceID, at revision: Revision? = nil
    ) throws -> NodeRecord? {
        guard let revision else {
            return try connection.first(
                """
                SELECT \(NodeRow.columns) FROM node
                WHERE namespace = $1 AND parent = $2 AND name = $3 AND valid_to IS NULL
                """,
                [.id(namespace), .id(parent), .blob(name.bytes)]
            ).map(NodeRow.record)
        }
        // The rows of one place do not overlap, so the first that ended after the revision is the one, or none is.
        return try connection.first(
            """
            SELECT \(NodeRow.columns) FROM node
            WHERE namespace = $1 AND parent = $2 AND name = $3 AND valid_to IS NULL AND valid_from <= $4
            UNION ALL
            SELECT \(NodeRow.columns) FROM node
            WHERE namespace = $1 AND +valid_from <= $4 AND node = (
                SELECT held.node FROM node AS held
                WHERE held.namespace = $1 AND held.parent = $2 AND held.name = $3 AND held.valid_to > $4
                ORDER BY held.valid_to LIMIT 1)
                AND valid_from = (
                SELECT held.valid_from FROM node AS held
                WHERE held.namespace = $1 AND held.parent = $2 AND held.name = $3 AND held.valid_to > $4
                ORDER BY held.valid_to LIMIT 1)
            LIMIT 1
            """,
            [.id(namespace), .id(parent), .blob(name.bytes), try .revision(revision)]
        ).map(NodeRow.record)
    }

    /// The entries of a folder, by name, from the first one behind `after` on, at most `limit` of them.
    /// - Complexity: O(entries) at the head. For a past revision O(names behind `after` until the page is full), whatever
    ///   the number of their versions; or O(rows of the folder up to the revision), where that is less.
    public func children(
        of parent: NodeID, in namespace: NamespaceID, after: NodeName? = nil, limit: Int, at revision: Revision? = nil
    ) throws -> [NodeRecord] {
        // No name is empty, so all names are behind the empty one.
        let start = SQLValue.blob(after?.bytes ?? [])
        guard let revision else {
            return try connection.query(
                """
                SELECT \(NodeRow.columns) FROM node
                WHERE namespace = $1 AND parent = $2 AND name > $3 AND valid_to IS NULL
                ORDER BY name LIMIT $4
                """,
                [.id(namespace), .id(parent), start, .integer(Int64(limit))]
            ).map(NodeRow.record)
        }
        return try pastChildren(of: parent, in: namespace, after: start, limit: limit, at: revision)
    }

    /// The node at a path; nil when there is none, and for the root, which has no record.
    /// - Complexity: one look-up for each name of the path.
    public func resolve(
        _ path: RemotePath, in namespace: NamespaceID, at revision: Revision? = nil
    ) throws -> NodeRecord? {
        var record: NodeRecord?
        for name in path.names {
            record = try child(record?.node ?? .root, name, in: namespace, at: revision)
            if record == nil { return nil }
        }
        return record
    }
}
