public import Model

/// A version of a file, as the collector reads it: from its content everything is found that the version needs.
public struct ContentRoot: Hashable, Sendable {
    /// The node and the revision that gave it this state: the place of the row among all of its namespace.
    public let node: NodeID
    /// The revision.
    public let revision: Revision
    /// The bytes; nil for what is no file.
    public let content: Content?
    /// When the bytes were given up; nil while they are kept.
    public let thinned: Timestamp?
}

/// The change-set of an upload that is on its way.
public struct PendingChangeSet: Hashable, Sendable {
    /// When the upload was announced.
    public let created: Timestamp
    /// The upload.
    public let upload: UploadID
    /// The change-set, as it was stored.
    public let changes: [UInt8]
}

/// What keeps pages and blocks alive.
extension CollectionQueries {
    /// The accounts, ordered. O(accounts).
    public func accounts() throws -> [AccountID] {
        try connection.query("SELECT id FROM account ORDER BY id", []).map { try $0.id(0) }
    }

    /// The rows of a namespace with all of their history, by node and revision: at most `limit` from behind `last` on.
    public func roots(in namespace: NamespaceID, after last: ContentRoot?, limit: Int) throws -> [ContentRoot] {
        let place: [SQLValue] =
            try last.map { [.id($0.node), try .revision($0.revision)] } ?? [.id(NodeID(high: 0, low: 0)), .integer(-1)]
        return try connection.query(
            """
            SELECT node, valid_from, level, digest, size, thinned FROM node
            WHERE namespace = $1 AND (node, valid_from) > ($2, $3) ORDER BY node, valid_from LIMIT $4
            """, [.id(namespace)] + place + [.integer(Int64(limit))]
        ).map { row in
            let content =
                row.isNull(2)
                ? nil
                : Content(id: ContentID(level: try row.number(2), digest: try row.digest(3)), size: try row.number(4))
            return ContentRoot(
                node: try row.id(0), revision: try row.revision(1), content: content, thinned: try row.optionalTime(5))
        }
    }

    /// The change-sets of the pending uploads of a namespace, oldest first: at most `limit` from behind `last` on.
    public func pendingChangeSets(
        in namespace: NamespaceID, after last: PendingChangeSet?, limit: Int
    ) throws -> [PendingChangeSet] {
        let place: [SQLValue] =
            last.map { [.time($0.created), .id($0.upload)] } ?? [.integer(.min), .id(UploadID(high: 0, low: 0))]
        return try connection.query(
            """
            SELECT created, id, changes FROM upload
            WHERE namespace = $1 AND state = 0 AND changes IS NOT NULL AND (created, id) > ($2, $3)
            ORDER BY created, id LIMIT $4
            """, [.id(namespace)] + place + [.integer(Int64(limit))]
        ).map { PendingChangeSet(created: try $0.time(0), upload: try $0.id(1), changes: try $0.blob(2)) }
    }
}
