import GRDB

/// The tables of the client's state, as numbered steps from nothing to the newest form.
///
/// A released step is never edited: a change of the tables is a new step at the end.
enum Schema {
    /// The statements of each step; the version of a state is how many of them it has been through.
    static let steps: [[String]] = [first, second]

    /// Brings a state up to date.
    static func migrate(_ connection: Database, path: String) throws {
        let version = try PreparedQuery("PRAGMA user_version", on: connection).first { Int($0.integer(0)) } ?? 0
        guard version <= steps.count else {
            throw ClientError(
                .stateTooNew,
                "the client's state '\(path)' has version \(version); this client knows versions up to \(steps.count)")
        }
        for number in version..<steps.count {
            try connection.inTransaction(.immediate) {
                for statement in steps[number] { try connection.execute(sql: statement) }
                try connection.execute(sql: "PRAGMA user_version = \(number + 1)")
                return .commit
            }
        }
    }

    /// The columns that say what a node is. `digest_key` is the first eight bytes of the digest: see ``Digest/indexKey``.
    private static let stateColumns = """
        parent BLOB, name BLOB, kind INTEGER, level INTEGER, digest_key INTEGER, digest BLOB, size INTEGER, target BLOB,
        mode INTEGER, modified INTEGER
        """

    /// The columns of a ``Fingerprint``.
    private static let fingerprintColumns = """
        f_device INTEGER, f_inode INTEGER, f_size INTEGER, f_modified INTEGER, f_changed INTEGER, f_born INTEGER,
        f_mode INTEGER, f_racy INTEGER
        """

    private static let first = [
        """
        CREATE TABLE link (
            id INTEGER PRIMARY KEY AUTOINCREMENT, folder BLOB NOT NULL UNIQUE, remote BLOB NOT NULL,
            namespace BLOB NOT NULL, root BLOB NOT NULL, f_device INTEGER NOT NULL, f_inode INTEGER NOT NULL,
            f_born INTEGER NOT NULL, revision INTEGER NOT NULL, hash BLOB NOT NULL)
        """,
        // Rows have a number of their own, so that the four indexes hold that number and not a copy of a long key.
        """
        CREATE TABLE synced (
            id INTEGER PRIMARY KEY, link INTEGER NOT NULL, node BLOB NOT NULL, revision INTEGER NOT NULL,
            \(stateColumns), \(fingerprintColumns))
        """,
        "CREATE UNIQUE INDEX synced_node ON synced (link, node)",
        // Not unique: while a plan is half recorded, two nodes may share a place for a moment.
        "CREATE INDEX synced_place ON synced (link, parent, name)",
        "CREATE INDEX synced_inode ON synced (link, f_inode)",
        "CREATE INDEX synced_content ON synced (digest_key) WHERE digest_key IS NOT NULL",
        // `condition` is a LocalCondition. A row keeps its sequence for as long as it stands.
        """
        CREATE TABLE local (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT, link INTEGER NOT NULL, node BLOB NOT NULL,
            condition INTEGER NOT NULL, \(stateColumns), \(fingerprintColumns))
        """,
        "CREATE UNIQUE INDEX local_node ON local (link, node)",
        "CREATE INDEX local_place ON local (link, parent, name)",
        "CREATE INDEX local_inode ON local (link, f_inode)",
        "CREATE INDEX local_content ON local (digest_key) WHERE digest_key IS NOT NULL",
        "CREATE INDEX local_unread ON local (link, sequence) WHERE condition = 1",
        """
        CREATE TABLE remote (
            link INTEGER NOT NULL, node BLOB NOT NULL, revision INTEGER NOT NULL, removed INTEGER NOT NULL,
            \(stateColumns), PRIMARY KEY (link, node)) WITHOUT ROWID
        """,
        // What the steps under way will have made of nodes: see IntentQueries.
        """
        CREATE TABLE intent (
            sequence INTEGER PRIMARY KEY, link INTEGER NOT NULL, node BLOB NOT NULL, condition INTEGER NOT NULL,
            \(stateColumns), \(fingerprintColumns))
        """,
        // The blocks of a content of more than one block, in parts of a bounded length.
        """
        CREATE TABLE recipe (
            digest BLOB NOT NULL, part INTEGER NOT NULL, start INTEGER NOT NULL, entries BLOB NOT NULL,
            PRIMARY KEY (digest, part)) WITHOUT ROWID
        """,
        // A hint, never a promise: what is read by it is verified, so short keys do.
        """
        CREATE TABLE block (
            key INTEGER NOT NULL, content INTEGER NOT NULL, start INTEGER NOT NULL, length INTEGER NOT NULL,
            PRIMARY KEY (key, content, start)) WITHOUT ROWID
        """,
        // Contents that some file had and may have no more.
        "CREATE TABLE unused_content (digest BLOB PRIMARY KEY) WITHOUT ROWID",
        """
        CREATE TABLE problem (
            link INTEGER NOT NULL, path BLOB NOT NULL, code TEXT NOT NULL, message TEXT NOT NULL, since INTEGER NOT NULL,
            seen INTEGER NOT NULL, PRIMARY KEY (link, path)) WITHOUT ROWID
        """,
        """
        CREATE TABLE conflict (
            id INTEGER PRIMARY KEY AUTOINCREMENT, link INTEGER NOT NULL, path BLOB NOT NULL, kept BLOB NOT NULL,
            time INTEGER NOT NULL)
        """,
        "CREATE TABLE counter (name TEXT PRIMARY KEY, last INTEGER NOT NULL, total INTEGER NOT NULL) WITHOUT ROWID",
        """
        CREATE TABLE upload (
            id BLOB PRIMARY KEY, link INTEGER NOT NULL, created INTEGER NOT NULL, request BLOB NOT NULL)
        """,
        // Where a staging folder may have been left, besides the top of the linked folder.
        "CREATE TABLE staging (link INTEGER NOT NULL, path BLOB NOT NULL, PRIMARY KEY (link, path)) WITHOUT ROWID",
        "CREATE TABLE setting (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    ]

    private static let second = [
        // Which link gave a content up, since another process may be about to place one that no file has yet.
        """
        CREATE TABLE unused (link INTEGER NOT NULL, digest BLOB NOT NULL, PRIMARY KEY (digest, link)) WITHOUT ROWID
        """,
        "INSERT INTO unused (link, digest) SELECT link.id, digest FROM link, unused_content",
        "DROP TABLE unused_content",
        // Parts of recipes without a name, of runs that are over. From now on their keys begin with the link.
        "DELETE FROM recipe WHERE length(digest) <> 32",
        // Folders that are writable for a moment, with the mode that they get back: see OpenedQueries.
        """
        CREATE TABLE opened (
            link INTEGER NOT NULL, inode INTEGER NOT NULL, born INTEGER NOT NULL, device INTEGER NOT NULL,
            path BLOB NOT NULL, mode INTEGER NOT NULL, PRIMARY KEY (link, inode, born, device)) WITHOUT ROWID
        """,
    ]
}
