import GRDB
import Model
import SyncPlanning

/// The disk as it was last seen: the synced tree with the local overlay over it.
struct LocalView {
    let connection: Database
    let link: LinkID

    init(_ connection: Database, link: LinkID) {
        self.connection = connection
        self.link = link
    }

    /// What was last seen of a node; nil when it was never seen.
    func record(of node: NodeID) throws -> LocalRecord? {
        if let record = try LocalQueries(connection, link: link).record(of: node) { return record }
        return try SyncedQueries(connection, link: link).record(of: node).map { LocalRecord($0) }
    }

    /// Which node was seen under a name in a folder.
    func child(of parent: NodeID, named name: NodeName) throws -> NodeID? {
        let query = try PreparedQuery(
            """
            SELECT node FROM local WHERE link = ?1 AND parent = ?2 AND name = ?3 AND condition IN (0, 1)
            UNION ALL SELECT node FROM synced AS s WHERE link = ?1 AND parent = ?2 AND name = ?3
            AND \(Self.untouched) LIMIT 1
            """, on: connection)
        query.bind(1, link)
        query.bind(2, parent)
        query.bind(3, name.bytes)
        return try query.first { try $0.identifier(0) }
    }

    /// The entries of a folder in the order of their names.
    func children(of parent: NodeID) throws -> [LocalRecord] {
        try childQuery(parent).all(LocalRecord.init)
    }

    /// The entries of a folder in the order of their names, one after the other: `node, condition, state …,
    /// fingerprint …`. Reset it when it is not read to its end.
    func childQuery(_ parent: NodeID) throws -> PreparedQuery {
        let query = try PreparedQuery(Self.childSelection, on: connection)
        query.bind(1, link)
        query.bind(2, parent)
        return query
    }

    /// Whether a folder has entries. May be asked while a ``childQuery(_:)`` is being read.
    func hasChildren(_ parent: NodeID) throws -> Bool {
        let query = try PreparedQuery(
            "SELECT 1 FROM (\(Self.childSelection)) LIMIT 1", on: connection)
        query.bind(1, link)
        query.bind(2, parent)
        return try query.first { _ in true } ?? false
    }

    /// The nodes whose entries had an inode number when last seen, those gone from disk too.
    func records(withInode inode: UInt64) throws -> [LocalRecord] {
        let query = try PreparedQuery(Self.inodeSelection, on: connection)
        query.bind(1, link)
        query.bind(2, inode)
        return try query.all(LocalRecord.init)
    }

    /// Where the entry of a node is below the linked folder; nil when it is not in the tree.
    func path(of node: NodeID, root: NodeID) throws -> LocalPath? {
        var names: [NodeName] = []
        var current = node
        while current != root {
            guard names.count < Self.maximumDepth, let placement = try record(of: current)?.placement else {
                return nil
            }
            names.append(placement.name)
            current = placement.parent
        }
        return LocalPath(names.reversed())
    }

    /// Which node was seen at a path; nil when none was.
    func node(at path: LocalPath, root: NodeID) throws -> NodeID? {
        var current = root
        for component in path.components {
            guard let name = try? NodeName(bytes: Array(component)),
                let child = try child(of: current, named: name)
            else { return nil }
            current = child
        }
        return current
    }

    /// The files that had a content when last seen.
    func nodes(withContent content: ContentID) throws -> [NodeID] {
        let query = try PreparedQuery(
            """
            SELECT node FROM local WHERE digest_key = ?1 AND digest = ?2 AND level = ?3 AND link = ?4
            AND condition = 0
            UNION ALL SELECT node FROM synced AS s WHERE digest_key = ?1 AND digest = ?2 AND level = ?3 AND link = ?4
            AND \(Self.untouched)
            """, on: connection)
        query.bind(1, content.digest.indexKey)
        query.bind(2, content.digest)
        query.bind(3, Int64(content.level))
        query.bind(4, link)
        return try query.all { try $0.identifier(0) }
    }

    /// The files that had a content with this ``Digest/indexKey`` when last seen.
    func nodes(withContentKey key: Int64) throws -> [NodeID] {
        let query = try PreparedQuery(
            """
            SELECT node FROM local WHERE digest_key = ?1 AND link = ?2 AND condition = 0
            UNION ALL SELECT node FROM synced AS s WHERE digest_key = ?1 AND link = ?2 AND \(Self.untouched)
            """, on: connection)
        query.bind(1, key)
        query.bind(2, link)
        return try query.all { try $0.identifier(0) }
    }

    /// No kernel walks deeper; it bounds the work on a damaged state.
    private static let maximumDepth = 100_000

    private static let untouched =
        "NOT EXISTS (SELECT 1 FROM local AS l WHERE l.link = s.link AND l.node = s.node)"

    private static let columns = "\(NodeColumns.state), \(NodeColumns.fingerprint)"

    // Both halves come by name out of their indexes; SQLite merges them without a sort.
    private static let childSelection = """
        SELECT node, 0, \(columns) FROM synced AS s WHERE link = ?1 AND parent = ?2 AND \(untouched)
        UNION ALL SELECT node, condition, \(columns) FROM local WHERE link = ?1 AND parent = ?2
        AND condition IN (0, 1) ORDER BY name
        """

    private static let inodeSelection = """
        SELECT node, condition, \(columns) FROM local WHERE link = ?1 AND f_inode = ?2
        UNION ALL SELECT node, 0, \(columns) FROM synced AS s WHERE link = ?1 AND f_inode = ?2 AND \(untouched)
        """
}
