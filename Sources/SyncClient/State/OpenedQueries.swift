import GRDB
import Model

/// A read-only folder that the client makes writable for a moment, and what it gets back.
struct OpenedFolder: Hashable, Sendable {
    /// What the folder was before. Its mode is the one to bring back.
    let inode: UInt64
    let born: Int64
    let device: UInt64
    let mode: UInt16
    /// Where it was, below the linked folder.
    let path: LocalPath

    init(_ folder: Fingerprint, path: LocalPath) {
        (inode, born, device, mode) = (folder.inode, folder.born, folder.device, folder.permissions)
        self.path = path
    }

    fileprivate init(_ row: PreparedQuery) {
        (inode, born, device) = (row.unsigned(0), row.integer(1), row.unsigned(2))
        path = LocalPath(bytes: row.bytes(3))
        mode = UInt16(truncatingIfNeeded: row.integer(4))
    }

    /// The mode for the moment: the owner may do everything.
    var openedMode: UInt16 { mode | 0o700 }

    /// Whether a folder is this one, as the client left it open.
    func isLeftOpen(_ found: Fingerprint) -> Bool {
        guard found.kind == .folder, found.inode == inode, found.permissions == openedMode else { return false }
        return born != 0 || found.born != 0 ? born == found.born : device == found.device
    }
}

/// The folders that are writable for a moment: after a kill in that moment the next scan would take the mode for one
/// that the user has set.
struct OpenedQueries {
    let connection: Database
    let link: LinkID

    init(_ connection: Database, link: LinkID) {
        self.connection = connection
        self.link = link
    }

    /// Notes a folder that is about to be opened.
    func add(_ folder: OpenedFolder) throws {
        let query = try PreparedQuery(
            "INSERT OR REPLACE INTO opened (link, inode, born, device, path, mode) VALUES (?, ?, ?, ?, ?, ?)",
            on: connection)
        query.bind(1, link)
        query.bind(2, folder.inode)
        query.bind(3, folder.born)
        query.bind(4, folder.device)
        query.bind(5, folder.path.bytes)
        query.bind(6, Int64(folder.mode))
        try query.run()
    }

    func all() throws -> [OpenedFolder] {
        let query = try PreparedQuery(
            "SELECT inode, born, device, path, mode FROM opened WHERE link = ? ORDER BY path", on: connection)
        query.bind(1, link)
        return try query.all(OpenedFolder.init)
    }

    /// All have their own modes again.
    func removeAll() throws {
        let query = try PreparedQuery("DELETE FROM opened WHERE link = ?", on: connection)
        query.bind(1, link)
        try query.run()
    }
}
