import Blocks
import CLinux
import Foundation
import Glibc
import Model
import SyncPlanning
import TestSupport
import Testing

@testable import SyncClient

@Suite("Reading changed files, and finding their blocks again")
struct ContentReaderTests {
    let world: LocalWorld

    init() throws {
        world = try LocalWorld()
    }

    func reader() throws -> ContentReader {
        ContentReader(folder: try world.opened, database: world.database, clock: world.clock)
    }

    func path(_ text: String) -> LocalPath { LocalPath(bytes: Array(text.utf8)) }

    func random(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
        var generator = SeededGenerator(seed: seed)
        return generator.bytes(count)
    }

    @Test("content, recipe and pages are those of the bytes", arguments: [0, 1, 40_000, 600_000, 3_000_000])
    func reads(size: Int) throws {
        let bytes = random(size)
        world.write("a", bytes)
        var blocks: [UInt8] = []
        var entries: [RecipeEntry] = []
        let reading = try reader().read(
            path("a"), expecting: nil, using: &world.generator,
            block: { id, block in
                #expect(BlockID(SHA256Hasher.digest(of: block)) == id)
                blocks += block
                entries.append(RecipeEntry(block: id, length: UInt32(block.count)))
            })
        #expect(blocks == bytes)
        #expect(reading.content == LocalWorld.recipe(bytes))
        #expect(reading.fingerprint.size == UInt64(size))
        #expect(!reading.isRacy)
        var stored: [RecipeEntry] = []
        let isStored = try world.database.read { connection in
            try RecipeQueries(connection).forEachEntry(of: reading.content.id) { entry, offset in
                #expect(offset == stored.reduce(0) { $0 + UInt64($1.length) })
                stored.append(entry)
            }
        }
        #expect(isStored == (entries.count > 1))
        #expect(stored == (entries.count > 1 ? entries : []))
        var pages: [RecipePage] = []
        _ = try world.database.read { try RecipeQueries($0).forEachPage(of: reading.content.id) { pages.append($0) } }
        #expect(pages == reading.pages)
    }

    @Test("a recipe longer than one part of it is kept whole, and in order")
    func longRecipe() throws {
        var spool = RecipeSpool(world.database, link: world.link.id, using: &world.generator)
        var generator = SeededGenerator(seed: 8)
        let entries = (0..<(RecipeQueries.entriesPerPart * 2 + 5)).map { _ in
            RecipeEntry(
                block: BlockID(Digest(words: (generator.next(), generator.next(), 0, generator.next()))),
                length: UInt32.random(in: 1...500_000, using: &generator))
        }
        var builder = RecipeBuilder()
        for entry in entries {
            try spool.append(entry)
            builder.append(entry) { _ in }
        }
        let content = builder.finish { _ in }
        try spool.finish(content.id)
        try world.database.read { connection throws in
            var offset: UInt64 = 0
            var read: [RecipeEntry] = []
            _ = try RecipeQueries(connection).forEachEntry(of: content.id) {
                #expect($1 == offset)
                offset += UInt64($0.length)
                read.append($0)
            }
            #expect(read == entries)
            let place = try RecipeQueries(connection).places(of: entries[1500].block).first
            #expect(place?.offset == entries[..<1500].reduce(0) { $0 + UInt64($1.length) })
            #expect(place?.length == entries[1500].length)
        }
        // No file has that content: the sweep takes it away, with its blocks.
        try world.database.write { try RecipeQueries($0).sweep(world.link.id) }
        try world.database.read { connection throws in
            #expect(try !RecipeQueries(connection).contains(content.id))
            #expect(try RecipeQueries(connection).places(of: entries[7].block).isEmpty)
        }
    }

    @Test("what a killed reading has left goes at the next start")
    func abandoned() throws {
        func rows() throws -> Int64? {
            try world.database.read { try PreparedQuery("SELECT count(*) FROM recipe", on: $0).first { $0.integer(0) } }
        }
        for isKilled in [true, false] {
            var spool = RecipeSpool(world.database, link: world.link.id, using: &world.generator)
            for number in 0..<1100 {
                try spool.append(
                    RecipeEntry(block: BlockID(SHA256Hasher.digest(of: [UInt8](bigEndian: number))), length: 1))
            }
            #expect(try rows() == 1)
            if isKilled { _ = try world.applier().recover() } else { try spool.abandon() }
            #expect(try rows() == 0)
        }
    }

    @Test("what another link is at work on stays, whether it has a name yet or not")
    func otherLink() throws {
        let other = try world.database.write {
            try LinkQueries($0).add(
                folder: path("/other"), remote: .root, namespace: NamespaceID(high: 1, low: 2), root: .root,
                identity: FolderIdentity(device: 1, inode: 2, born: 3))
        }
        var spools = [other, world.link.id].map { RecipeSpool(world.database, link: $0, using: &world.generator) }
        var builder = RecipeBuilder()
        for number in 0..<1100 {
            let entry = RecipeEntry(block: BlockID(SHA256Hasher.digest(of: [UInt8](bigEndian: number))), length: 1)
            builder.append(entry) { _ in }
            for index in spools.indices { try spools[index].append(entry) }
        }
        let content = builder.finish { _ in }
        func isKept() throws -> Bool { try world.database.read { try RecipeQueries($0).contains(content.id) } }
        // This link was killed and starts again, while the other goes on.
        _ = try world.applier().recover()
        try spools[0].finish(content.id)
        #expect(try isKept())
        var entries = 0
        _ = try world.database.read { try RecipeQueries($0).forEachEntry(of: content.id) { _, _ in entries += 1 } }
        #expect(entries == 1100)
        var again = RecipeSpool(world.database, link: world.link.id, using: &world.generator)
        try again.finish(content.id)
        try world.database.write { try RecipeQueries($0).sweep(world.link.id) }
        #expect(try isKept())
        try world.database.write { try LinkQueries($0).remove(other) }
        // Nobody else looks after what a link has left that is no more.
        try world.database.write { try RecipeQueries($0).sweep(world.link.id) }
        #expect(try !isKept())
    }

    @Test("a file that is written to while it is read is not taken, and nothing of it stays")
    func unstable() throws {
        world.write("a", random(700_000))
        let error = #expect(throws: ClientError.self) {
            try reader().read(
                path("a"), expecting: nil, using: &world.generator,
                block: { _, _ in
                    world.write("a", random(700_000, seed: 2))
                })
        }
        #expect(error?.code == .unstable)
        #expect(error?.message.contains("/a'") == true)
        let shorter = #expect(throws: ClientError.self) {
            try reader().read(
                path("a"), expecting: nil, using: &world.generator,
                block: { _, _ in
                    _ = truncate(world.path("a"), 5)
                })
        }
        #expect(shorter?.code == .unstable)
        #expect(
            try world.database.read { try PreparedQuery("SELECT count(*) FROM recipe", on: $0).first { $0.integer(0) } }
                == 0)
    }

    @Test("what is not the file that was seen is not read")
    func notExpected() throws {
        world.write("a", "one")
        try world.scan()
        let seen = try #require(
            try world.database.read {
                try LocalQueries($0, link: world.link.id).unread(limit: 1).first?.record.fingerprint
            })
        world.write("a", "two, longer")
        let error = #expect(throws: ClientError.self) {
            try reader().read(path("a"), expecting: seen, using: &world.generator)
        }
        #expect(error?.code == .changedMeanwhile)
        world.remove("a")
        mkfifo(world.path("a"), 0o600)
        #expect(throws: ClientError.self) { try reader().read(path("a"), expecting: nil, using: &world.generator) }
        world.remove("a")
        symlink(world.directory.appending("state.db"), world.path("a"))
        #expect(throws: ClientError.self) { try reader().read(path("a"), expecting: nil, using: &world.generator) }
        #expect(throws: ClientError.self) { try reader().read(.root, expecting: nil, using: &world.generator) }
        let gone = #expect(throws: ClientError.self) {
            try reader().read(path("no/such"), expecting: nil, using: &world.generator)
        }
        #expect(gone?.code == .notFound)
    }

    // MARK: - BlockSource

    /// The blocks of bytes with their places.
    func blocks(_ bytes: [UInt8]) -> [(entry: RecipeEntry, bytes: [UInt8])] {
        var blocks: [(RecipeEntry, [UInt8])] = []
        var position = 0
        _ = try! ContentSplitter(chunker: Chunker()).split { buffer in
            let count = min(buffer.count, bytes.count - position)
            bytes[position..<(position + count)].withUnsafeBytes { buffer.copyMemory(from: $0) }
            position += count
            return count
        } block: { id, block in
            blocks.append((RecipeEntry(block: id, length: UInt32(block.count)), [UInt8](block)))
        }
        return blocks
    }

    func find(_ source: BlockSource, _ entry: RecipeEntry) throws -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: Int(entry.length))
        return try bytes.withUnsafeMutableBytes { try source.read(entry, into: $0) } ? bytes : nil
    }

    @Test("every block of every file is found, wherever the file has moved")
    func finds() throws {
        let (big, small) = (random(2_000_000), random(5000, seed: 2))
        world.write("big", big)
        world.makeFolder("f")
        world.write("f/small", small)
        try world.scan()
        try world.readChanged()
        for isMoved in [false, true] {
            let source = try BlockSource(database: world.database)
            for block in blocks(big) + blocks(small) { #expect(try find(source, block.entry) == block.bytes) }
            #expect(try find(source, RecipeEntry(block: BlockID(SHA256Hasher.digest(of: [1])), length: 1)) == nil)
            try world.commit()
            if isMoved { break }
            world.move("f", "g")
            world.move("big", "g/big")
            try world.sync()
        }
    }

    @Test("a hint that is wrong yields no wrong bytes, and is dropped")
    func staleHint() throws {
        let bytes = random(2_000_000)
        world.write("big", bytes)
        try world.sync()
        let all = blocks(bytes)
        // Behind the client's back, with another program's bytes in the place of the first block.
        let file = fopen(world.path("big"), "r+")!
        fputs("other bytes", file)
        fclose(file)
        let source = try BlockSource(database: world.database)
        #expect(try find(source, all[0].entry) == nil)
        #expect(try find(source, all[1].entry) == all[1].bytes)
        #expect(try world.database.read { try RecipeQueries($0).places(of: all[0].entry.block) }.isEmpty)
        #expect(try !world.database.read { try RecipeQueries($0).places(of: all[1].entry.block) }.isEmpty)
    }

    @Test("hints about a folder that is not in its place are kept for when it is back")
    func awayFolder() throws {
        let bytes = random(500_000)
        world.write("big", bytes)
        try world.sync()
        rename(world.root, world.directory.appending("away"))
        let entry = blocks(bytes)[0].entry
        #expect(try find(BlockSource(database: world.database), entry) == nil)
        rename(world.directory.appending("away"), world.root)
        #expect(try find(BlockSource(database: world.database), entry) != nil)
    }

    @Test("a hint about a file that is not in its place yet is kept, and one about a file that can't be read")
    func hintKept() throws {
        let bytes = random(600_000)
        world.write("big", bytes)
        try world.scan()
        // A run that is killed after it noted the recipe of a file that it was about to place.
        _ = try reader().read(path("big"), expecting: nil, using: &world.generator)
        let entry = blocks(bytes)[1].entry
        #expect(try find(BlockSource(database: world.database), entry) == nil)
        try world.readChanged()
        #expect(try find(BlockSource(database: world.database), entry) != nil)
        try world.commit()
        world.move("big", "elsewhere")
        #expect(try find(BlockSource(database: world.database), entry) == nil)
        world.move("elsewhere", "big")
        #expect(try find(BlockSource(database: world.database), entry) != nil)
    }

    @Test("one wrong file of a content does not hide the others")
    func oneWrong() throws {
        let bytes = random(600_000)
        for name in ["a", "b"] { world.write(name, bytes) }
        try world.sync()
        let entry = blocks(bytes)[1].entry
        for name in ["a", "b"] {
            _ = truncate(world.path(name), 5)
            let found = try find(BlockSource(database: world.database), entry)
            #expect((found != nil) == (name == "a"))
            let places = try world.database.read { try RecipeQueries($0).places(of: entry.block) }
            #expect(places.isEmpty == (name == "b"))
        }
    }

    @Test("the recipe of a content goes when the last file of it does, not before")
    func sweep() throws {
        let bytes = random(500_000)
        for name in ["a", "b"] { world.write(name, bytes) }
        try world.sync()
        let content = LocalWorld.recipe(bytes)
        for (name, isKept) in [("a", true), ("b", false)] {
            world.write(name, "something else")
            try world.sync()
            try world.database.write { try RecipeQueries($0).sweep(world.link.id) }
            #expect(try world.database.read { try RecipeQueries($0).contains(content.id) } == isKept)
        }
    }
}
