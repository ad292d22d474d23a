import Blocks
import GRDB
import Model

/// The recipes of contents of more than one block, and where on this disk each of their blocks is.
struct RecipeQueries {
    let connection: Database

    init(_ connection: Database) {
        self.connection = connection
    }

    /// How many entries one row holds.
    static let entriesPerPart = 1024
    /// A block id and a length.
    private static let entryLength = 36

    /// Whether the recipe of a content is here.
    func contains(_ content: ContentID) throws -> Bool {
        let query = try PreparedQuery("SELECT 1 FROM recipe WHERE digest = ? AND part = 0", on: connection)
        query.bind(1, content.digest)
        return try query.first { _ in true } ?? false
    }

    /// Hands out the entries of a recipe in order, with their offsets. Returns false when the recipe is not here.
    ///
    /// A content of one block has no recipe here: it is its own.
    func forEachEntry(of content: ContentID, _ body: (RecipeEntry, UInt64) throws -> Void) throws -> Bool {
        var number: Int64 = 0
        while let part = try part(number, of: content.digest) {
            var offset = part.start
            for entry in part.entries {
                try body(entry, offset)
                offset += UInt64(entry.length)
            }
            number += 1
        }
        return number > 0
    }

    /// Hands out the pages of a recipe, built anew from its entries. Returns false when the recipe is not here.
    func forEachPage(of content: ContentID, _ body: (RecipePage) throws -> Void) throws -> Bool {
        var builder = RecipeBuilder()
        let found = try forEachEntry(of: content) { entry, _ in try builder.append(entry, emit: body) }
        if found { _ = try builder.finish(emit: body) }
        return found
    }

    /// Where blocks may be: a hint, to be verified by whoever reads there.
    func places(of block: BlockID) throws -> [BlockPlace] {
        let query = try PreparedQuery("SELECT content, start, length FROM block WHERE key = ? LIMIT 8", on: connection)
        query.bind(1, block.digest.indexKey)
        return try query.all {
            BlockPlace(contentKey: $0.integer(0), offset: $0.unsigned(1), length: UInt32(clamping: $0.integer(2)))
        }
    }

    /// Takes back a hint that was wrong.
    func drop(_ place: BlockPlace, of block: BlockID) throws {
        let query = try PreparedQuery("DELETE FROM block WHERE key = ? AND content = ? AND start = ?", on: connection)
        query.bind(1, block.digest.indexKey)
        query.bind(2, place.contentKey)
        query.bind(3, place.offset)
        try query.run()
    }

    /// Forgets the recipes of contents that this link gave up and no file has any more: O(contents given up since the
    /// last time).
    ///
    /// What another link has on its list is left to that one: its process may be about to place the content.
    func sweep(_ link: LinkID) throws {
        let mine = "link = ?1 OR NOT EXISTS (SELECT 1 FROM link WHERE id = link)"
        let list = try PreparedQuery("SELECT digest FROM unused WHERE \(mine)", on: connection)
        list.bind(1, link)
        let all = Set(try list.all { try $0.digest(0) })
        let delete = try PreparedQuery("DELETE FROM unused WHERE \(mine)", on: connection)
        delete.bind(1, link)
        try delete.run()
        for digest in all where try !isUsed(digest) { try remove(digest) }
    }

    private func isUsed(_ digest: Digest) throws -> Bool {
        let query = try PreparedQuery(
            """
            SELECT 1 FROM synced WHERE digest_key = ?1 AND digest = ?2
            UNION ALL SELECT 1 FROM local WHERE digest_key = ?1 AND digest = ?2
            UNION ALL SELECT 1 FROM unused WHERE digest = ?2 LIMIT 1
            """, on: connection)
        query.bind(1, digest.indexKey)
        query.bind(2, digest)
        return try query.first { _ in true } ?? false
    }

    private func remove(_ digest: Digest) throws {
        let block = try PreparedQuery("DELETE FROM block WHERE key = ? AND content = ?", on: connection)
        var number: Int64 = 0
        while let part = try part(number, of: digest) {
            for entry in part.entries {
                block.bind(1, entry.block.digest.indexKey)
                block.bind(2, digest.indexKey)
                try block.run()
            }
            number += 1
        }
        let recipe = try PreparedQuery("DELETE FROM recipe WHERE digest = ?", on: connection)
        recipe.bind(1, digest)
        try recipe.run()
    }

    /// One part of a recipe, for whoever walks it in steps; nil past the end.
    func part(_ number: Int64, of digest: Digest) throws -> (start: UInt64, entries: [RecipeEntry])? {
        let query = try PreparedQuery("SELECT start, entries FROM recipe WHERE digest = ? AND part = ?", on: connection)
        query.bind(1, digest)
        query.bind(2, number)
        return try query.first { row in
            (row.unsigned(0), try row.withBytes(1) { try Self.decode($0, row) })
        }
    }

    private static func decode(_ bytes: UnsafeRawBufferPointer, _ row: PreparedQuery) throws -> [RecipeEntry] {
        guard bytes.count % entryLength == 0, let address = bytes.baseAddress else { throw row.malformed(1) }
        return stride(from: 0, to: bytes.count, by: entryLength).map { offset in
            RecipeEntry(
                block: BlockID(Digest(loading: address + offset)),
                length: UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset + 32, as: UInt32.self)))
        }
    }
}

/// Where a block may be: in any file of the content with this key.
struct BlockPlace: Hashable, Sendable {
    /// ``Digest/indexKey`` of the content.
    let contentKey: Int64
    let offset: UInt64
    let length: UInt32
}
