public import Model

/// A row of a tree that does not fit the others.
public struct TreeFault: Hashable, Sendable {
    /// What is wrong.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// Two rows of one node are valid at the same revision.
        case overlap
        /// Two entries of a folder have one name at the same revision.
        case sharedName
        /// The folder of an entry is not there at some revision at which the entry is.
        case missingParent
        /// A folder lies in itself, by way of others.
        case cycle
        /// A row begins or ends behind the head of its namespace.
        case beyondHead
    }

    /// The namespace.
    public let namespace: NamespaceID
    /// The node.
    public let node: NodeID
    /// The revision at which the fault begins.
    public let revision: Revision
    /// What is wrong with it.
    public let kind: Kind

    /// Makes a fault of its parts.
    public init(namespace: NamespaceID, node: NodeID, revision: Revision, kind: Kind) {
        self.namespace = namespace
        self.node = node
        self.revision = revision
        self.kind = kind
    }
}

/// What the shape of a tree has to be, at each of its revisions.
///
/// Each of these goes through all rows of the namespace once, and answers with at most `limit` faults.
extension CheckQueries {
    /// Rows of one node that overlap.
    public func overlaps(in namespace: NamespaceID, limit: Int) throws -> [TreeFault] {
        try faults(
            .overlap, in: namespace, limit: limit,
            """
            SELECT one.node, other.valid_from FROM node AS one CROSS JOIN node AS other
            WHERE one.namespace = $1 AND other.namespace = one.namespace AND other.node = one.node
                AND other.valid_from > one.valid_from
                AND other.valid_from < COALESCE(one.valid_to, 9223372036854775807)
            ORDER BY 1, 2 LIMIT $2
            """)
    }

    /// Entries of one folder that have the same name at the same revision.
    public func sharedNames(in namespace: NamespaceID, limit: Int) throws -> [TreeFault] {
        // The next that ends behind a past row must not begin before that row ends; nor may the entry of the head.
        let past = try faults(
            .sharedName, in: namespace, limit: limit,
            """
            SELECT one.node, one.valid_from FROM node AS one
            WHERE one.namespace = $1 AND one.valid_to IS NOT NULL
                AND (SELECT other.valid_from FROM node AS other
                    WHERE other.namespace = one.namespace AND other.parent = one.parent AND other.name = one.name
                        AND other.valid_to IS NOT NULL AND (other.valid_to, other.node, other.valid_from)
                            > (one.valid_to, one.node, one.valid_from)
                    ORDER BY other.valid_to, other.node, other.valid_from LIMIT 1) < one.valid_to
            ORDER BY 1, 2 LIMIT $2
            """)
        let head = try faults(
            .sharedName, in: namespace, limit: limit,
            """
            SELECT one.node, one.valid_from FROM node AS one
            WHERE one.namespace = $1 AND one.valid_to IS NULL
                AND EXISTS (SELECT 1 FROM node AS other
                    WHERE other.namespace = one.namespace AND other.parent = one.parent AND other.name = one.name
                        AND other.valid_to > one.valid_from)
            ORDER BY 1, 2 LIMIT $2
            """)
        return Array((past + head).prefix(limit))
    }

    /// Entries whose folder is not there for as long as they are.
    public func missingParents(in namespace: NamespaceID, limit: Int) throws -> [TreeFault] {
        let begins = try faults(
            .missingParent, in: namespace, limit: limit,
            """
            SELECT one.node, one.valid_from FROM node AS one
            WHERE one.namespace = $1 AND one.parent <> $3
                AND NOT EXISTS (SELECT 1 FROM node AS folder
                    WHERE folder.namespace = one.namespace AND folder.node = one.parent AND folder.kind = 0
                        AND folder.valid_from <= one.valid_from
                        AND (folder.valid_to IS NULL OR folder.valid_to > one.valid_from))
            ORDER BY 1, 2 LIMIT $2
            """, [.id(NodeID.root)])
        // A folder that ended, and did not go on as a folder: nothing may have been in it beyond.
        let ends = try ["IS NULL", "> folder.valid_to"].flatMap { end in
            try faults(
                .missingParent, in: namespace, limit: limit,
                """
                SELECT one.node, folder.valid_to FROM node AS folder CROSS JOIN node AS one
                WHERE folder.namespace = $1 AND folder.kind = 0 AND folder.valid_to IS NOT NULL
                    AND NOT EXISTS (SELECT 1 FROM node AS later
                        WHERE later.namespace = folder.namespace AND later.node = folder.node AND later.kind = 0
                            AND later.valid_from = folder.valid_to)
                    AND one.namespace = folder.namespace AND one.parent = folder.node
                    AND one.valid_to \(end) AND one.valid_from < folder.valid_to
                ORDER BY 1, 2 LIMIT $2
                """)
        }
        return Array((begins + ends).prefix(limit))
    }

    /// Rows that begin or end at a revision that the namespace has not reached.
    public func rowsBeyond(_ head: Revision, in namespace: NamespaceID, limit: Int) throws -> [TreeFault] {
        try faults(
            .beyondHead, in: namespace, limit: limit,
            """
            SELECT node, valid_from FROM node WHERE namespace = $1 AND (valid_from > $3 OR valid_to > $3)
            ORDER BY 1, 2 LIMIT $2
            """, [try .revision(head)])
    }

    /// The rows at which folders were made or moved to another folder, by node and revision, from behind one on.
    public func movedFolders(
        in namespace: NamespaceID, after last: (node: NodeID, from: Revision)?, limit: Int
    ) throws -> [(node: NodeID, from: Revision)] {
        try connection.query(
            """
            SELECT node, valid_from FROM node AS one
            WHERE namespace = $1 AND (node, valid_from) > ($2, $3) AND kind = 0 AND parent <> $4
                AND NOT EXISTS (SELECT 1 FROM node AS before
                    WHERE before.namespace = one.namespace AND before.node = one.node
                        AND before.valid_to = one.valid_from
                        -- Not by the index of folders, or each entry of the folder is read for each of them.
                        AND CASE WHEN before.parent = one.parent THEN 1 ELSE 0 END = 1)
            ORDER BY node, valid_from LIMIT $5
            """,
            [
                .id(namespace), .id(last?.node ?? .root), try .revision(last?.from ?? .zero), .id(NodeID.root),
                .integer(Int64(limit)),
            ]
        ).map { (node: try $0.id(0), from: try $0.revision(1)) }
    }

    private func faults(
        _ kind: TreeFault.Kind, in namespace: NamespaceID, limit: Int, _ sql: String, _ more: [SQLValue] = []
    ) throws -> [TreeFault] {
        try connection.query(sql, [.id(namespace), .integer(Int64(limit))] + more).map { row in
            TreeFault(namespace: namespace, node: try row.id(0), revision: try row.revision(1), kind: kind)
        }
    }
}
