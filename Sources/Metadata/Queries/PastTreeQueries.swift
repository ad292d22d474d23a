public import Model

/// An entry of a folder as it was at a revision, and whether its bytes are still kept.
public struct PastEntry: Hashable, Sendable {
    /// The node.
    public let record: NodeRecord
    /// Whether the bytes of this version were given up.
    public let isThinned: Bool

    /// Makes an entry of its parts.
    public init(record: NodeRecord, isThinned: Bool) {
        self.record = record
        self.isThinned = isThinned
    }
}

/// Reads whole trees as they were, for an export.
public struct PastTreeQueries {
    private let connection: any MetadataConnection

    /// Works on a connection.
    public init(_ connection: any MetadataConnection) {
        self.connection = connection
    }

    /// The entries of a folder at a revision, by name, from the first one behind `after` on, at most `limit` of them.
    public func entries(
        of parent: NodeID, in namespace: NamespaceID, at revision: Revision, after: NodeName?, limit: Int
    ) throws -> [PastEntry] {
        try connection.query(
            """
            SELECT \(NodeRow.columns), thinned FROM node
            WHERE namespace = $1 AND parent = $2 AND name > $3 AND valid_to IS NULL AND valid_from <= $4
            UNION ALL
            SELECT \(NodeRow.columns), thinned FROM node
            WHERE namespace = $1 AND parent = $2 AND name > $3 AND valid_to > $4 AND valid_from <= $4
            ORDER BY name LIMIT $5
            """,
            [
                .id(namespace), .id(parent), .blob(after?.bytes ?? []), try .revision(revision),
                .integer(Int64(limit)),
            ]
        ).map { PastEntry(record: try NodeRow.record($0), isThinned: !$0.isNull(11)) }
    }
}
