import GRDB
import Model

/// Numbers a linked folder within the state.
struct LinkID: Hashable, Sendable {
    let rawValue: Int64
}

/// A folder of this machine that is kept in sync with a folder of a namespace.
struct LinkRecord: Hashable, Sendable {
    let id: LinkID
    /// The absolute path of the folder.
    let folder: LocalPath
    /// Where it is in the namespace.
    let remote: RemotePath
    let namespace: NamespaceID
    /// The node of the namespace that the folder is.
    let root: NodeID
    /// What the folder was when it was linked: another one at its place is not it.
    let identity: FolderIdentity
    /// How far the namespace's history has been taken into the remote overlay.
    let cursor: Head
}

/// By what a linked folder is known again.
struct FolderIdentity: Hashable, Sendable {
    let device: UInt64
    let inode: UInt64
    /// 0 where the file system does not record births.
    let born: Int64

    init(device: UInt64, inode: UInt64, born: Int64) {
        self.device = device
        self.inode = inode
        self.born = born
    }

    init(_ fingerprint: Fingerprint) {
        self.init(device: fingerprint.device, inode: fingerprint.inode, born: fingerprint.born)
    }

    /// Whether the folder found is the one that was linked. Device numbers change when a machine starts anew, so
    /// they count only where births are not recorded.
    func isSame(as other: FolderIdentity) -> Bool {
        guard inode == other.inode else { return false }
        return born != 0 || other.born != 0 ? born == other.born : device == other.device
    }
}

/// The linked folders.
struct LinkQueries {
    let connection: Database

    init(_ connection: Database) {
        self.connection = connection
    }

    /// Notes a new link, with nothing synced yet.
    func add(
        folder: LocalPath, remote: RemotePath, namespace: NamespaceID, root: NodeID, identity: FolderIdentity
    ) throws -> LinkID {
        let query = try PreparedQuery(
            """
            INSERT INTO link (folder, remote, namespace, root, f_device, f_inode, f_born, revision, hash)
            VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?)
            """, on: connection)
        query.bind(1, folder.bytes)
        query.bind(2, remote.bytes)
        query.bind(3, namespace)
        query.bind(4, root)
        query.bind(5, identity.device)
        query.bind(6, identity.inode)
        query.bind(7, identity.born)
        query.bind(8, CommitHash.origin.digest)
        try query.run()
        return LinkID(rawValue: connection.lastInsertedRowID)
    }

    func all() throws -> [LinkRecord] {
        try PreparedQuery("\(Self.selection) ORDER BY id", on: connection).all(Self.record)
    }

    func record(_ link: LinkID) throws -> LinkRecord? {
        let query = try PreparedQuery("\(Self.selection) WHERE id = ?", on: connection)
        query.bind(1, link)
        return try query.first(Self.record)
    }

    /// Notes how far the history has been taken in: together with the overlay that it brought.
    func setCursor(_ link: LinkID, _ head: Head) throws {
        let query = try PreparedQuery("UPDATE link SET revision = ?, hash = ? WHERE id = ?", on: connection)
        query.bind(1, head.revision.number)
        query.bind(2, head.hash.digest)
        query.bind(3, link)
        try query.run()
    }

    /// Accepts another folder as the linked one, at the user's word.
    func setIdentity(_ link: LinkID, _ identity: FolderIdentity) throws {
        let query = try PreparedQuery(
            "UPDATE link SET f_device = ?, f_inode = ?, f_born = ? WHERE id = ?", on: connection)
        query.bind(1, identity.device)
        query.bind(2, identity.inode)
        query.bind(3, identity.born)
        query.bind(4, link)
        try query.run()
    }

    /// Gives everything noted of one device another device number.
    func renumber(_ link: LinkID, from old: UInt64, to new: UInt64) throws {
        for (table, column) in [("synced", "link"), ("local", "link"), ("link", "id")] {
            let query = try PreparedQuery(
                "UPDATE \(table) SET f_device = ? WHERE \(column) = ? AND f_device = ?", on: connection)
            query.bind(1, new)
            query.bind(2, link)
            query.bind(3, old)
            try query.run()
        }
    }

    /// Forgets a link and all that is known of it, but for the list of contents that no file may have any more: the
    /// sweep of any other link takes that over. No file is touched.
    func remove(_ link: LinkID) throws {
        for table in ["synced", "local"] {
            let unused = try PreparedQuery(
                "INSERT OR IGNORE INTO unused SELECT link, digest FROM \(table) WHERE link = ? AND level > 0",
                on: connection)
            unused.bind(1, link)
            try unused.run()
        }
        try RecipeSpool.removeLeftovers(of: link, connection)
        for table in ["synced", "local", "remote", "problem", "conflict", "upload", "staging", "intent", "opened"] {
            let query = try PreparedQuery("DELETE FROM \(table) WHERE link = ?", on: connection)
            query.bind(1, link)
            try query.run()
        }
        let query = try PreparedQuery("DELETE FROM link WHERE id = ?", on: connection)
        query.bind(1, link)
        try query.run()
    }

    private static let selection =
        "SELECT id, folder, remote, namespace, root, f_device, f_inode, f_born, revision, hash FROM link"

    private static func record(_ row: PreparedQuery) throws -> LinkRecord {
        let namespace: NamespaceID = try row.identifier(3)
        guard let remote = try? RemotePath(bytes: row.bytes(2)) else { throw row.malformed(2) }
        return LinkRecord(
            id: LinkID(rawValue: row.integer(0)), folder: LocalPath(bytes: row.bytes(1)), remote: remote,
            namespace: namespace, root: try row.identifier(4),
            identity: FolderIdentity(device: row.unsigned(5), inode: row.unsigned(6), born: row.integer(7)),
            cursor: Head(
                namespace: namespace, revision: Revision(row.unsigned(8)), hash: CommitHash(try row.digest(9))))
    }
}
