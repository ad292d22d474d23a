public import Model

/// A version of a file, with where it stands in an order of versions.
public struct OrderedVersion: Hashable, Sendable {
    /// The revision at which it ended or began, whichever was asked for, and its node.
    public let position: ChangePosition
    /// Its bytes.
    public let content: Content
}

extension ArchiveQueries {
    /// The kept versions that ended behind a position, up to and with a revision, in the order in which they ended.
    public func endedVersions(
        in namespace: NamespaceID, after: ChangePosition, upTo: Revision, limit: Int
    ) throws -> [OrderedVersion] {
        try connection.query(
            """
            SELECT valid_to, node, level, digest, size FROM node
            WHERE namespace = $1 AND valid_to IS NOT NULL AND valid_to <= $4 AND (valid_to, node) > ($2, $3)
                AND kind = 1 AND thinned IS NULL
            ORDER BY valid_to, node LIMIT $5
            """,
            [
                .id(namespace), try .revision(after.revision), .id(after.node), try .revision(upTo),
                .integer(Int64(limit)),
            ]
        ).map(Self.version)
    }

    /// The kept versions that began behind a position, up to and with a revision, in the order in which they began: those
    /// that are still current, and those that are not any more.
    public func begunVersions(
        in namespace: NamespaceID, after: ChangePosition, upTo: Revision, limit: Int
    ) throws -> [OrderedVersion] {
        try connection.query(
            """
            SELECT valid_from, node, level, digest, size FROM node
            WHERE namespace = $1 AND valid_from <= $4 AND (valid_from, node) > ($2, $3)
                AND kind = 1 AND thinned IS NULL
            ORDER BY valid_from, node LIMIT $5
            """,
            [
                .id(namespace), try .revision(after.revision), .id(after.node), try .revision(upTo),
                .integer(Int64(limit)),
            ]
        ).map(Self.version)
    }

    /// The files at the head behind a node, by node, each with the revision that it is of.
    /// - Complexity: O(versions of the nodes that are passed).
    public func currentFiles(in namespace: NamespaceID, after node: NodeID, limit: Int) throws -> [OrderedVersion] {
        try connection.query(
            """
            SELECT valid_from, node, level, digest, size FROM node
            WHERE namespace = $1 AND node > $2 AND valid_to IS NULL AND kind = 1
            ORDER BY node LIMIT $3
            """, [.id(namespace), .id(node), .integer(Int64(limit))]
        ).map(Self.version)
    }

    private static func version(_ row: SQLRow) throws -> OrderedVersion {
        OrderedVersion(
            position: ChangePosition(revision: try row.revision(0), node: try row.id(1)),
            content: Content(
                id: ContentID(level: try row.number(2), digest: try row.digest(3)), size: try row.number(4)))
    }
}
