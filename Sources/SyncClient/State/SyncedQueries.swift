import GRDB
import Model

/// A node of the synced tree, with what its entry on disk looked like when it was synced.
struct SyncedRecord: Hashable, Sendable {
    var record: NodeRecord
    var fingerprint: Fingerprint
    /// Whether the fingerprint was taken too soon after a write to be trusted: the next scan reads again.
    var isRacy: Bool

    var node: NodeID { record.node }
    var state: NodeState { record.state }
}

/// The synced tree of one link: what disk and server last agreed on.
struct SyncedQueries {
    let connection: Database
    let link: LinkID

    init(_ connection: Database, link: LinkID) {
        self.connection = connection
        self.link = link
    }

    /// Writes nodes, each over what was known of it.
    func put(_ records: some Sequence<SyncedRecord>) throws {
        let release = try PreparedQuery(Self.release, on: connection)
        let insert = try PreparedQuery(Self.insertion, on: connection)
        for record in records {
            release.bind(1, link)
            release.bind(2, record.node)
            // The digest that stays needs no second look.
            release.bind(3, record.state.payload.content.map { $0.id.digest.indexKey } ?? 0)
            try release.run()
            insert.bind(1, link)
            insert.bind(2, record.node)
            insert.bind(3, record.record.revision.number)
            insert.bind(4, state: record.state)
            insert.bind(4 + NodeColumns.stateCount, fingerprint: record.fingerprint, racy: record.isRacy)
            try insert.run()
        }
    }

    /// Takes nodes out of the tree. What is below them is not looked at.
    func remove(_ nodes: some Sequence<NodeID>) throws {
        let release = try PreparedQuery(Self.release, on: connection)
        let delete = try PreparedQuery("DELETE FROM synced WHERE link = ? AND node = ?", on: connection)
        for node in nodes {
            release.bind(1, link)
            release.bind(2, node)
            release.bind(3, Int64(0))
            try release.run()
            delete.bind(1, link)
            delete.bind(2, node)
            try delete.run()
        }
    }

    /// Notes that an entry looks different now although it is the same: a file that was touched and has its old bytes.
    func refresh(_ node: NodeID, _ fingerprint: Fingerprint, racy: Bool) throws {
        let query = try PreparedQuery(
            """
            UPDATE synced SET f_device = ?, f_inode = ?, f_size = ?, f_modified = ?, f_changed = ?, f_born = ?,
            f_mode = ?, f_racy = ? WHERE link = ? AND node = ?
            """, on: connection)
        query.bind(1, fingerprint: fingerprint, racy: racy)
        query.bind(1 + NodeColumns.fingerprintCount, link)
        query.bind(2 + NodeColumns.fingerprintCount, node)
        try query.run()
    }

    func record(of node: NodeID) throws -> SyncedRecord? {
        let query = try PreparedQuery("\(Self.selection) WHERE link = ? AND node = ?", on: connection)
        query.bind(1, link)
        query.bind(2, node)
        return try query.first(Self.record)
    }

    func child(of parent: NodeID, named name: NodeName) throws -> NodeID? {
        let query = try PreparedQuery(
            "SELECT node FROM synced WHERE link = ? AND parent = ? AND name = ?", on: connection)
        query.bind(1, link)
        query.bind(2, parent)
        query.bind(3, name.bytes)
        return try query.first { try $0.identifier(0) }
    }

    /// The nodes of a folder, by name.
    func children(of parent: NodeID) throws -> [SyncedRecord] {
        let query = try PreparedQuery(
            "\(Self.selection) WHERE link = ? AND parent = ? ORDER BY name", on: connection)
        query.bind(1, link)
        query.bind(2, parent)
        return try query.all(Self.record)
    }

    /// The files of one content.
    func nodes(withContent content: ContentID) throws -> [NodeID] {
        let query = try PreparedQuery(
            "SELECT node FROM synced WHERE digest_key = ? AND digest = ? AND level = ? AND link = ?", on: connection)
        query.bind(1, content.digest.indexKey)
        query.bind(2, content.digest)
        query.bind(3, Int64(content.level))
        query.bind(4, link)
        return try query.all { try $0.identifier(0) }
    }

    /// How many nodes there are. Counts them: O(n).
    func count() throws -> Int {
        let query = try PreparedQuery("SELECT count(*) FROM synced WHERE link = ?", on: connection)
        query.bind(1, link)
        return try query.first { Int($0.integer(0)) } ?? 0
    }

    static let selection = "SELECT node, revision, \(NodeColumns.state), \(NodeColumns.fingerprint) FROM synced"

    static func record(_ row: PreparedQuery) throws -> SyncedRecord {
        SyncedRecord(
            record: NodeRecord(
                node: try row.identifier(0), revision: Revision(row.unsigned(1)), state: try row.state(2)),
            fingerprint: row.fingerprint(2 + NodeColumns.stateCount), isRacy: row.isRacy(2 + NodeColumns.stateCount))
    }

    /// Puts the content that a node had on the list of those that may be in use no more.
    private static let release = """
        INSERT OR IGNORE INTO unused
        SELECT link, digest FROM synced WHERE link = ? AND node = ? AND level > 0 AND digest_key <> ?
        """

    private static let insertion = """
        INSERT INTO synced (link, node, revision, \(NodeColumns.state), \(NodeColumns.fingerprint))
        VALUES (\(NodeColumns.marks(21)))
        ON CONFLICT (link, node) DO UPDATE SET revision = excluded.revision, parent = excluded.parent,
        name = excluded.name, kind = excluded.kind, level = excluded.level, digest_key = excluded.digest_key,
        digest = excluded.digest, size = excluded.size, target = excluded.target, mode = excluded.mode,
        modified = excluded.modified, f_device = excluded.f_device, f_inode = excluded.f_inode,
        f_size = excluded.f_size, f_modified = excluded.f_modified, f_changed = excluded.f_changed,
        f_born = excluded.f_born, f_mode = excluded.f_mode, f_racy = excluded.f_racy
        """
}
