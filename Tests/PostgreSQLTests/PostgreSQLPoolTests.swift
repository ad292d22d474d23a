import Metadata
import MetadataConformance
import MetadataPostgreSQL
import Model
import PostgreSQLSupport
import TestSupport
import Testing

@Suite("The pool of connections", .serialized)
struct PostgreSQLPoolTests {
    @Test("lets reads through while writes wait for each other's locks")
    func readsBesideWrites() async throws {
        let files = try await TestDatabase()
        let database = try await files.open(PostgreSQLSettings(connections: 4))
        try await database.prepareHome()
        let direct = try files.direct()
        try direct.run("BEGIN")
        try direct.run("LOCK TABLE namespace IN EXCLUSIVE MODE")
        let revisions = try await withThrowingTaskGroup(of: UInt64?.self) { group in
            for number in 1...10 as ClosedRange<UInt64> {
                group.addTask { try await database.write(commitBody(number)).revision?.number }
            }
            let admin = try DirectConnection(files.server.string("postgres"))
            try await admin.wait(
                for:
                    "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = '\(files.name)' AND wait_event_type = 'Lock'",
                toBe: "3")
            for _ in 0..<20 { #expect(try await database.homeHead()?.revision == .zero) }
            try direct.run("COMMIT")
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(revisions.compactMap(\.self).sorted() == Array(1...10))
        try await database.close()
    }

    @Test("takes a bounded number of calls that wait, and tells the others that it is busy")
    func bounded() async throws {
        let files = try await TestDatabase()
        let database = try await files.open(PostgreSQLSettings(connections: 1, waitingCalls: 2))
        let gate = Gate()
        async let held: Void = database.write { _ in gate.wait() }
        await gate.waitUntilEntered()
        async let second = database.homeHead()
        async let third = database.homeHead()
        while database.waitingCalls < 2 { await Task.yield() }
        await #expect(throws: MetadataError(.busy, "")) { try await database.homeHead() }
        gate.open()
        try await held
        #expect(try await second == nil)
        #expect(try await third == nil)
        try await database.close()
    }

    @Test("finishes what runs and what waits before it is closed, and takes nothing more")
    func closing() async throws {
        let files = try await TestDatabase()
        let database = try await files.open(PostgreSQLSettings(connections: 1))
        try await database.prepareHome()
        let gate = Gate()
        async let held: CommitOutcome = database.write { connection in
            gate.wait()
            return try commitBody(1)(connection)
        }
        await gate.waitUntilEntered()
        async let waiting = database.write(commitBody(2))
        while database.waitingCalls < 1 { await Task.yield() }
        async let closed: Void = database.close()
        while !database.isClosed { await Task.yield() }
        gate.open()
        #expect(try await held.revision == Revision(1))
        #expect(try await waiting.revision == Revision(2))
        try await closed
        let admin = try DirectConnection(files.server.string("postgres"))
        try await admin.wait(
            for: "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = '\(files.name)'", toBe: "0")
        await #expect(throws: MetadataError(.unavailable, "")) { try await database.homeHead() }
    }

    @Test("goes with its connections when the last reference to it does")
    func dropped() async throws {
        let files = try await TestDatabase()
        do {
            let database = try await files.open()
            #expect(try await database.homeHead() == nil)
        }
        let admin = try DirectConnection(files.server.string("postgres"))
        try await admin.wait(for: "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = '\(files.name)'", toBe: "0")
    }

    @Test("waits for a server up to its patience, and says why there is none")
    func noServer() async throws {
        let server = try PostgresServer.shared()
        let settings = PostgreSQLSettings(patience: .milliseconds(300))
        let nobody = try PostgresServer.freePort()
        for (string, said) in [
            (server.string("postgres", port: nobody), "refused"),
            (server.string("nowhere"), "\"nowhere\" does not exist"),
        ] {
            let start = ContinuousClock.now
            let error = await #expect(throws: MetadataError(.unavailable, "")) {
                _ = try await PostgreSQLMetadataDatabase(string, settings)
            }
            #expect(error?.cause?.contains(said) == true && error?.isRetryable == true, "\(String(describing: error))")
            #expect(ContinuousClock.now - start < .seconds(30))
        }
    }

    @Test("takes the one of several servers that answers")
    func severalHosts() async throws {
        let files = try await TestDatabase()
        let nobody = try PostgresServer.freePort()
        let database = try await PostgreSQLMetadataDatabase(
            "host=127.0.0.1,127.0.0.1 port=\(nobody),\(files.server.port) user=cairn dbname=\(files.name)")
        #expect(try await database.homeHead() == nil)
        #expect(database.description == "'\(files.name)' at 127.0.0.1:\(nobody), 127.0.0.1:\(files.server.port)")
        try await database.close()
    }

    @Test("refuses a string that can't be read, and names what is wrong")
    func badString() async {
        let error = await #expect(throws: MetadataError(.constraint, "")) {
            _ = try await PostgreSQLMetadataDatabase("hosts=a")
        }
        #expect(error?.description.contains("hosts") == true)
    }

    @Test("refuses a database that takes no writes")
    func readOnlyDatabase() async throws {
        let files = try await TestDatabase()
        let direct = try files.direct()
        try direct.run("ALTER DATABASE \(files.name) SET default_transaction_read_only = on")
        let error = await #expect(throws: MetadataError(.unavailable, "")) {
            _ = try await files.open(PostgreSQLSettings(patience: .milliseconds(200)))
        }
        #expect(error?.cause?.contains("read-only") == true, "\(String(describing: error))")
    }
}
