import Blocks
import GRDB
import Model

/// Takes the recipe of a file while it is read, and writes it down once the content has a name.
///
/// Whatever the size of the file, one part of the recipe is in memory: the others wait in the state under a key that no
/// content has, since it is shorter than a digest. What a killed run left there goes at the next start.
struct RecipeSpool {
    private let database: ClientDatabase
    private let link: LinkID
    /// The link, then bytes of chance.
    private let key: [UInt8]
    private var pending: [RecipeEntry] = []
    private var part: Int64 = 0
    private var start: UInt64 = 0
    private var offset: UInt64 = 0

    /// Begins a recipe of a file of a link, whose next run removes what a killed one has left.
    init(_ database: ClientDatabase, link: LinkID, using generator: inout some RandomNumberGenerator) {
        self.database = database
        self.link = link
        key = Self.prefix(link) + NodeID(using: &generator).bytes
    }

    private static func prefix(_ link: LinkID) -> [UInt8] { [UInt8](bigEndian: UInt64(bitPattern: link.rawValue)) }

    /// Takes the next entry.
    mutating func append(_ entry: RecipeEntry) throws {
        pending.append(entry)
        offset += UInt64(entry.length)
        if pending.count == RecipeQueries.entriesPerPart { try database.write { try flush($0) } }
    }

    /// Writes the recipe down under the name of its content. A content of one block needs none.
    mutating func finish(_ content: ContentID) throws {
        if content.level == 0 { return pending.removeAll() }
        try database.write { connection in
            try flush(connection)
            // Should no file take the content after all, the next sweep finds it.
            let unused = try PreparedQuery("INSERT OR IGNORE INTO unused (link, digest) VALUES (?, ?)", on: connection)
            unused.bind(1, link)
            unused.bind(2, content.digest)
            try unused.run()
            if try RecipeQueries(connection).contains(content) { return try abandon(connection) }
            let rename = try PreparedQuery("UPDATE recipe SET digest = ? WHERE digest = ?", on: connection)
            rename.bind(1, content.digest)
            rename.bind(2, key)
            try rename.run()
            try index(content, connection)
        }
    }

    /// Gives up, because the file changed while it was read.
    func abandon() throws {
        if part > 0 { try database.write { try abandon($0) } }
    }

    /// Removes what killed runs of a link have left. Other links may be at work in other processes.
    static func removeLeftovers(of link: LinkID, _ connection: Database) throws {
        let query = try PreparedQuery(
            "DELETE FROM recipe WHERE digest > ?1 AND digest < ?2 AND length(digest) < 32", on: connection)
        query.bind(1, prefix(link))
        query.bind(2, prefix(LinkID(rawValue: link.rawValue + 1)))
        try query.run()
    }

    private func abandon(_ connection: Database) throws {
        let delete = try PreparedQuery("DELETE FROM recipe WHERE digest = ?", on: connection)
        delete.bind(1, key)
        try delete.run()
    }

    private mutating func flush(_ connection: Database) throws {
        if pending.isEmpty { return }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(pending.count * 36)
        for entry in pending {
            bytes += entry.block.digest.bytes
            bytes += [UInt8](bigEndian: entry.length)
        }
        let insert = try PreparedQuery(
            "INSERT INTO recipe (digest, part, start, entries) VALUES (?, ?, ?, ?)", on: connection)
        insert.bind(1, key)
        insert.bind(2, part)
        insert.bind(3, start)
        insert.bind(4, bytes)
        try insert.run()
        part += 1
        start = offset
        pending.removeAll(keepingCapacity: true)
    }

    private func index(_ content: ContentID, _ connection: Database) throws {
        let insert = try PreparedQuery(
            "INSERT OR IGNORE INTO block (key, content, start, length) VALUES (?, ?, ?, ?)", on: connection)
        _ = try RecipeQueries(connection).forEachEntry(of: content) { entry, offset in
            insert.bind(1, entry.block.digest.indexKey)
            insert.bind(2, content.digest.indexKey)
            insert.bind(3, offset)
            insert.bind(4, Int64(entry.length))
            try insert.run()
        }
    }
}
