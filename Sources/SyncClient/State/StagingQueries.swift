import GRDB
import Model

/// The folders on other mounts within a linked folder where entries with reserved names may have been left.
struct StagingQueries {
    let connection: Database
    let link: LinkID

    init(_ connection: Database, link: LinkID) {
        self.connection = connection
        self.link = link
    }

    func add(_ path: LocalPath) throws {
        let query = try PreparedQuery("INSERT OR IGNORE INTO staging (link, path) VALUES (?, ?)", on: connection)
        query.bind(1, link)
        query.bind(2, path.bytes)
        try query.run()
    }

    func all() throws -> [LocalPath] {
        let query = try PreparedQuery("SELECT path FROM staging WHERE link = ?", on: connection)
        query.bind(1, link)
        return try query.all { LocalPath(bytes: $0.bytes(0)) }
    }

    func removeAll() throws {
        let query = try PreparedQuery("DELETE FROM staging WHERE link = ?", on: connection)
        query.bind(1, link)
        try query.run()
    }
}
