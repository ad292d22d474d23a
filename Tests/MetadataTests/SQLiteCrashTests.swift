import Foundation
import Metadata
import MetadataConformance
import MetadataSQLite
import Model
import TestSupport
import Testing

/// The files as a crash would leave them: the system has what was written, nobody has closed anything.
private func copy(_ path: String, to target: String, cuttingLogAt length: Int? = nil) throws {
    try Data(contentsOf: URL(fileURLWithPath: path)).write(to: URL(fileURLWithPath: target))
    var log = try Data(contentsOf: URL(fileURLWithPath: path + "-wal"))
    if let length { log = log.prefix(length) }
    try log.write(to: URL(fileURLWithPath: target + "-wal"))
}

@Suite("What a crash leaves of a SQLite database")
struct SQLiteCrashTests {
    private let directory = TemporaryDirectory()
    private let path: String
    private let database: SQLiteMetadataDatabase

    init() async throws {
        path = directory.appending("metadata.db")
        database = try SQLiteMetadataDatabase(path: path)
        try await database.prepareHome()
    }

    @Test("is all that was answered, and nothing of what was under way")
    func middleOfTransaction() async throws {
        for number in 1...20 as ClosedRange<UInt64> { try await database.write(commitBody(number)) }
        let crashed = directory.appending("crashed.db")
        let gate = Gate()
        async let held: Void = database.write { connection in
            for number in 21...40 as ClosedRange<UInt64> { _ = try commitBody(number)(connection) }
            gate.wait()
        }
        await gate.waitUntilEntered()
        try copy(path, to: crashed)
        gate.open()
        try await held
        #expect(try await database.homeHead()?.revision == Revision(40))
        let found = try SQLiteMetadataDatabase(path: crashed)
        #expect(try await found.homeHead()?.revision == Revision(20))
        #expect(try await found.homeFaults().isEmpty)
        try await found.write(commitBody(21))
        try await found.close()
    }

    @Test("is whole commits, wherever the log was torn")
    func tornLog() async throws {
        for number in 1...12 as ClosedRange<UInt64> { try await database.write(commitBody(number)) }
        let ends = try WriteAheadLog(ofDatabase: path).ends
        var generator = SeededGenerator(seed: 5)
        let last = try #require(ends.last)
        // Where transactions end, the byte before, and places in between.
        let cuts =
            ends.flatMap { [$0, $0 - 1] } + (0..<15).map { _ in Int.random(in: ends[5]...last, using: &generator) }
        for (index, cut) in cuts.enumerated() {
            let torn = directory.appending("torn-\(index).db")
            try copy(path, to: torn, cuttingLogAt: cut)
            let found = try SQLiteMetadataDatabase(path: torn)
            // The schema, the home, and then a transaction for each commit.
            let whole = ends.filter { $0 <= cut }.count - (ends.count - 12)
            let head = try? await found.homeHead()
            #expect(head?.revision.number == (whole >= 0 ? UInt64(whole) : nil), "cut at \(cut) of \(last)")
            if head != nil { #expect(try await found.homeFaults().isEmpty) }
            try await found.close()
        }
    }

    @Test("is safe because each commit is synced, in a log that is made for it")
    func settings() async throws {
        let settings = try await database.write { connection in
            try ["synchronous", "journal_mode", "foreign_keys"].map { try connection.query("PRAGMA \($0)", []) }
        }
        #expect(settings == [[SQLRow([.integer(2)])], [SQLRow([.text("wal")])], [SQLRow([.integer(1)])]])
    }

    @Test("a database that was closed is one file, and opens as it was")
    func closedAndOpened() async throws {
        for number in 1...3 as ClosedRange<UInt64> { try await database.write(commitBody(number)) }
        let head = try await database.homeHead()
        try await database.close()
        let again = try SQLiteMetadataDatabase(path: path)
        #expect(try await again.homeHead() == head)
        try await again.close()
    }
}
