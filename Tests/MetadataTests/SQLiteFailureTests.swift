import Foundation
import Metadata
import MetadataConformance
import MetadataSQLite
import Model
import TestSupport
import Testing

/// A body that needs about a hundred pages of the database.
private let largeWrite: @Sendable (any MetadataConnection) throws -> Int = { connection in
    try PageQueries(connection).store(
        (0..<50).map { (Fixture.page($0), [UInt8](repeating: 7, count: 8000)) }, account: Fixture.account)
    return 0
}

@Suite("What goes wrong with a SQLite database", .serialized)
struct SQLiteFailureTests {
    private let directory = TemporaryDirectory()
    private var path: String { directory.appending("metadata.db") }

    private func setRoom(_ database: SQLiteMetadataDatabase, pages: Int64) async throws {
        try await database.write { connection in
            let used = try connection.first("PRAGMA page_count", []).map { try $0.integer(0) } ?? 0
            _ = try connection.query("PRAGMA max_page_count = \(used + pages)", [])
        }
    }

    @Test("a full disk is named with the path, takes nothing of the tree, and is over when there is room")
    func fullDisk() async throws {
        let database = try SQLiteMetadataDatabase(path: path)
        try await database.prepareHome()
        try await database.commit(1, [NodeChange(1, Fixture.file("a"))])
        try await setRoom(database, pages: 3)
        let error = await #expect(throws: MetadataError(.full, "")) { try await database.write(largeWrite) }
        #expect(error?.message.contains(path) == true && error?.isRetryable == false)
        #expect(try await database.homeHead()?.revision == Revision(1))
        #expect(try await database.homeFaults().isEmpty)
        try await setRoom(database, pages: 10_000)
        try await database.write(largeWrite)
        try await database.close()
    }

    @Test("of writes that share a transaction only those that find no room fail")
    func fullDiskInGroup() async throws {
        let database = try SQLiteMetadataDatabase(path: path)
        try await database.prepareHome()
        try await setRoom(database, pages: 40)
        let small = (1...6 as ClosedRange<UInt64>).map { number in
            { @Sendable (connection: any MetadataConnection) in
                Int(try commitBody(number)(connection).revision?.number ?? 0)
            }
        }
        let outcomes = try await database.together(small[..<3] + [largeWrite] + small[3...])
        #expect(throws: MetadataError(.full, "")) { try outcomes[3].get() }
        #expect(try (outcomes[..<3] + outcomes[4...]).map { try $0.get() } == Array(1...6))
        #expect(try await database.homeFaults().isEmpty)
        try await database.close()
    }

    @Test("a body that swallows the failure of its transaction does not write outside of one")
    func swallowedFailure() async throws {
        let database = try SQLiteMetadataDatabase(path: path)
        try await database.prepareHome()
        await #expect(throws: MetadataError.self) {
            try await database.write { connection throws in
                _ = try commitBody(1)(connection)
                // As SQLite does by itself after some failures of the disk.
                try connection.execute("ROLLBACK", [])
                _ = try? commitBody(2)(connection)
            }
        }
        #expect(try await database.homeHead()?.revision == .zero)
        try await database.write(commitBody(3))
        #expect(try await database.homeHead()?.revision == Revision(1))
        try await database.close()
    }

    @Test("when one body loses the transaction, the others are tried again and succeed")
    func lostTransaction() async throws {
        let database = try SQLiteMetadataDatabase(path: path)
        try await database.prepareHome()
        let breaking: @Sendable (any MetadataConnection) throws -> CommitOutcome = { connection in
            try connection.execute("ROLLBACK", [])
            return try commitBody(99)(connection)
        }
        let outcomes = try await database.together([commitBody(1), commitBody(2), breaking, commitBody(3)])
        #expect(throws: MetadataError.self) { try outcomes[2].get() }
        #expect(try [0, 1, 3].map { try outcomes[$0].get().revision?.number } == [1, 2, 3])
        #expect(try await database.homeFaults().isEmpty)
        try await database.close()
    }

    @Test("a file that is no database is refused as damaged, and stays as it is")
    func noDatabase() throws {
        let text = Data("This is a shopping list, and not a short one: ".utf8) + Data(repeating: 0x20, count: 5000)
        try text.write(to: URL(fileURLWithPath: path))
        let error = #expect(throws: MetadataError(.corrupt, "")) { try SQLiteMetadataDatabase(path: path) }
        #expect(error?.description.contains(path) == true)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == text)
    }

    @Test("a database with damaged pages says so")
    func damagedPages() async throws {
        let database = try SQLiteMetadataDatabase(path: path)
        try await database.prepareHome()
        try await database.commit(1, (1...2000).map { NodeChange($0, Fixture.file("f\($0)")) })
        try await database.close()
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        #expect(bytes.count > 200_000)
        for index in 100_000..<bytes.count { bytes[index] = 0xA5 }
        try bytes.write(to: URL(fileURLWithPath: path))
        // Which page is met first, that of the schema or one of the tree, does not matter.
        await #expect(throws: MetadataError(.corrupt, "")) {
            try await SQLiteMetadataDatabase(path: path).homeFaults()
        }
    }

    @Test("a folder that is not there, or a folder in the place of the file, can't be opened")
    func cannotOpen() throws {
        for path in [directory.appending("nowhere/metadata.db"), directory.path] {
            let error = #expect(throws: MetadataError(.unavailable, "")) { try SQLiteMetadataDatabase(path: path) }
            #expect(error?.message.contains(path) == true)
        }
    }

    @Test("a lock that another process holds is reported as busy, to all who wait")
    func lockedByAnother() async throws {
        let database = try SQLiteMetadataDatabase(path: path, busyTimeout: 0)
        try await database.prepareHome()
        let other = try SQLiteMetadataDatabase(path: path, busyTimeout: 0)
        let gate = Gate()
        async let held: Void = other.write { _ in gate.wait() }
        await gate.waitUntilEntered()
        let error = await #expect(throws: MetadataError(.busy, "")) { try await database.write(commitBody(1)) }
        #expect(error?.isRetryable == true)
        // Reads go on beside the lock.
        #expect(try await database.homeHead()?.revision == .zero)
        gate.open()
        try await held
        #expect(try await database.write(commitBody(1)).revision == Revision(1))
        try await other.close()
        try await database.close()
    }
}
