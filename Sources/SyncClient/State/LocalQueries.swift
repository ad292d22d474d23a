import GRDB
import Model
import SyncPlanning

/// How the disk differs from the synced tree of one link: what the scanner saw, kept over restarts, so that what
/// was made offline keeps its id and what was read once is not read again.
struct LocalQueries {
    let connection: Database
    let link: LinkID
    private let synced: SyncedQueries

    init(_ connection: Database, link: LinkID) {
        self.connection = connection
        self.link = link
        synced = SyncedQueries(connection, link: link)
    }

    /// Notes what entries on disk are now. What turns out to be as it was synced leaves the table again.
    func note(_ records: some Sequence<LocalRecord>) throws {
        for record in records { try note(record) }
    }

    private func note(_ record: LocalRecord) throws {
        let known = try synced.record(of: record.node)
        switch record.condition {
        case .present(let state) where known?.state == state:
            try drop([record.node])
            try synced.refresh(record.node, record.fingerprint, racy: record.isRacy)
        case .removed where known == nil:
            try drop([record.node])
        case .present, .unread, .removed, .parked:
            try keep(record)
        }
    }

    /// Notes the bytes of a file that was unread.
    ///
    /// Does nothing when the row is no longer unread, or describes another look at the file than `seen`.
    /// - Returns: Whether it was noted.
    @discardableResult
    func noteRead(_ node: NodeID, seen: Fingerprint, content: Content, fingerprint: Fingerprint, racy: Bool) throws
        -> Bool
    {
        guard let record = try record(of: node), case .unread(let placement) = record.condition,
            record.fingerprint.isSameVersion(as: seen)
        else { return false }
        let state = NodeState(
            parent: placement.parent, name: placement.name, payload: .file(content),
            mode: fingerprint.permissions, modified: Timestamp(nanoseconds: fingerprint.modified))
        try note(
            LocalRecord(node: node, condition: .present(state), fingerprint: fingerprint, isRacy: racy))
        return true
    }

    /// Forgets what was noted of nodes: they are as the synced tree has them, or known no more.
    func drop(_ nodes: some Sequence<NodeID>) throws {
        let release = try PreparedQuery(Self.release, on: connection)
        let delete = try PreparedQuery("DELETE FROM local WHERE link = ? AND node = ?", on: connection)
        for node in nodes {
            release.bind(1, link)
            release.bind(2, node)
            try release.run()
            delete.bind(1, link)
            delete.bind(2, node)
            try delete.run()
        }
    }

    func record(of node: NodeID) throws -> LocalRecord? {
        let query = try PreparedQuery("\(Self.selection) WHERE link = ? AND node = ?", on: connection)
        query.bind(1, link)
        query.bind(2, node)
        return try query.first(LocalRecord.init)
    }

    /// The files whose bytes have to be read, first seen first, after a sequence number: at most `limit`.
    func unread(after sequence: Int64 = 0, limit: Int) throws -> [(sequence: Int64, record: LocalRecord)] {
        let query = try PreparedQuery(
            """
            SELECT node, condition, \(NodeColumns.state), \(NodeColumns.fingerprint), sequence FROM local
            WHERE link = ? AND condition = 1 AND sequence > ? ORDER BY sequence LIMIT ?
            """, on: connection)
        query.bind(1, link)
        query.bind(2, sequence)
        query.bind(3, Int64(limit))
        let column = 2 + NodeColumns.stateCount + NodeColumns.fingerprintCount
        return try query.all { ($0.integer(column), try LocalRecord($0)) }
    }

    /// How many rows there are. Counts them: O(n).
    func count() throws -> Int {
        let query = try PreparedQuery("SELECT count(*) FROM local WHERE link = ?", on: connection)
        query.bind(1, link)
        return try query.first { Int($0.integer(0)) } ?? 0
    }

    static let selection =
        "SELECT node, condition, \(NodeColumns.state), \(NodeColumns.fingerprint) FROM local"

    /// Writes a row as it is, whether it differs from the synced tree or not.
    func keep(_ record: LocalRecord) throws {
        let release = try PreparedQuery(Self.release, on: connection)
        release.bind(1, link)
        release.bind(2, record.node)
        try release.run()
        let insert = try PreparedQuery(Self.insertion, on: connection)
        insert.bind(1, link)
        insert.bind(2, record.node)
        insert.bind(3, condition: record.condition)
        insert.bind(4 + NodeColumns.stateCount, fingerprint: record.fingerprint, racy: record.isRacy)
        try insert.run()
    }

    /// Puts the content that a row had on the list of those that may be in use no more.
    private static let release = """
        INSERT OR IGNORE INTO unused SELECT link, digest FROM local WHERE link = ? AND node = ? AND level > 0
        """

    private static let insertion = """
        INSERT INTO local (link, node, condition, \(NodeColumns.state), \(NodeColumns.fingerprint))
        VALUES (\(NodeColumns.marks(21)))
        ON CONFLICT (link, node) DO UPDATE SET condition = excluded.condition, parent = excluded.parent,
        name = excluded.name, kind = excluded.kind, level = excluded.level, digest_key = excluded.digest_key,
        digest = excluded.digest, size = excluded.size, target = excluded.target, mode = excluded.mode,
        modified = excluded.modified, f_device = excluded.f_device, f_inode = excluded.f_inode,
        f_size = excluded.f_size, f_modified = excluded.f_modified, f_changed = excluded.f_changed,
        f_born = excluded.f_born, f_mode = excluded.f_mode, f_racy = excluded.f_racy
        """
}
