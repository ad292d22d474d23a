import Metadata
import MetadataConformance
import MetadataPostgreSQL
import Model
import PostgreSQLSupport
import Synchronization
import Testing

/// Commits files one after the other, each until it is acknowledged, as a client does: a request keeps its upload id,
/// so what is sent twice is done once.
private struct Writer {
    let database: PostgreSQLMetadataDatabase
    let acknowledged = Counter()
    let unknown = Counter()

    func commit(_ numbers: ClosedRange<UInt64>) async throws {
        for number in numbers {
            while true {
                do {
                    _ = try await database.write(commitBody(number))
                    break
                } catch let error as MetadataError where error.isRetryable || error.code == .io {
                    if error.code == .io { unknown.add() }
                }
            }
            acknowledged.add()
        }
    }

    /// Writes from four tasks, and disturbs them when some have been acknowledged.
    func commitAll(_ each: UInt64, disturbedBy disturbance: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<4 as Range<UInt64> {
                group.addTask { try await commit(task * 1000 + 1...task * 1000 + each) }
            }
            while acknowledged.value < 20 { await Task.yield() }
            try await disturbance()
            try await group.waitForAll()
        }
    }
}

@Suite("Servers of PostgreSQL that fail", .serialized)
struct PostgreSQLServerFailureTests {
    @Test("and come back have all that was acknowledged, each once, and the pool goes on")
    func crash() async throws {
        let server = try PostgresServer()
        let files = try await TestDatabase(on: server)
        let database = try await files.open(PostgreSQLSettings(connections: 6))
        try await database.prepareHome()
        let writer = Writer(database: database)
        try await writer.commitAll(60) {
            for _ in 0..<2 {
                let before = writer.acknowledged.value
                try server.kill()
                let error = await #expect(throws: MetadataError(.unavailable, "")) {
                    _ = try await files.open(PostgreSQLSettings(patience: .milliseconds(50)))
                }
                #expect(error?.isRetryable == true)
                try server.start()
                let found = try Int(files.direct().value("SELECT COUNT(*) FROM journal"))
                #expect(found.map { $0 >= before } == true)
            }
        }
        #expect(try await database.homeHead()?.revision == Revision(240))
        #expect(try await database.homeFaults().isEmpty)
        #expect(try files.direct().value("SELECT COUNT(*) FROM node") == "240")
        try await database.close()
    }

    @Test("are left for the standby that was promoted, within seconds, with all that was acknowledged")
    func failover() async throws {
        let primary = try PostgresServer()
        let files = try await TestDatabase(on: primary)
        let standby = try PostgresServer(standbyOf: primary)
        let admin = try DirectConnection(primary.string("postgres"))
        try admin.run("ALTER SYSTEM SET synchronous_standby_names = '*'")
        try admin.run("SELECT pg_reload_conf()")
        try await admin.wait(for: "SELECT MAX(sync_state) FROM pg_stat_replication", toBe: "sync")
        // A standby alone will not do.
        let refused = await #expect(throws: MetadataError(.unavailable, "")) {
            _ = try await PostgreSQLMetadataDatabase(
                standby.string(files.name), PostgreSQLSettings(patience: .milliseconds(100)))
        }
        #expect(refused?.cause?.contains("read-only") == true, "\(String(describing: refused))")
        let database = try await PostgreSQLMetadataDatabase(
            "host=127.0.0.1,127.0.0.1 port=\(standby.port),\(primary.port) user=cairn dbname=\(files.name)")
        try await database.prepareHome()
        let writer = Writer(database: database)
        var outage = Duration.zero
        try await writer.commitAll(50) {
            try primary.kill()
            let killed = writer.acknowledged.value
            try standby.promote()
            let start = ContinuousClock.now
            while writer.acknowledged.value == killed { await Task.yield() }
            outage = ContinuousClock.now - start
        }
        #expect(outage < .seconds(5), "\(outage)")
        #expect(try await database.homeHead()?.revision == Revision(200))
        #expect(try await database.homeFaults().isEmpty)
        try await database.close()
    }

    @Test("whose standby is gone confirm no commit: that is told after the deadline, and by who ends the wait")
    func standbyGone() async throws {
        let server = try PostgresServer()
        let files = try await TestDatabase(on: server)
        let database = try await files.open(PostgreSQLSettings(connections: 4, commitDeadline: .milliseconds(300)))
        let patient = try await files.open(PostgreSQLSettings(connections: 2, commitDeadline: .seconds(30)))
        try await database.prepareHome()
        let admin = try DirectConnection(server.string("postgres"))
        try admin.run("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        try admin.run("SELECT pg_reload_conf()")
        try await admin.wait(for: "SHOW synchronous_standby_names", toBe: "nobody")
        let deadline = await #expect(throws: MetadataError(.io, "")) {
            try await database.commit(1, [NodeChange(1, Fixture.file("a"))])
        }
        #expect(deadline?.isRetryable == false)
        // What nobody confirmed is not seen either.
        #expect(try await database.homeHead()?.revision == .zero)
        async let waiting = failure(of: {
            try await patient.write { try WorkProgressQueries($0).set([1], of: "work", at: Fixture.time) }
        })
        let syncing = "FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        try await admin.wait(for: "SELECT COUNT(*) \(syncing)", toBe: "2")
        try admin.run("SELECT pg_cancel_backend(pid) \(syncing)")
        let cancelled = await waiting
        #expect(
            cancelled?.code == .io && cancelled?.cause?.contains("synchronous replication") == true,
            "\(String(describing: cancelled))")
        try admin.run("ALTER SYSTEM RESET synchronous_standby_names")
        try admin.run("SELECT pg_reload_conf()")
        // The same request again finds what the first one did.
        #expect(try await database.commit(1, [NodeChange(1, Fixture.file("a"))]).revision == Revision(1))
        #expect(try await database.homeFaults().isEmpty)
        try await database.close()
        try await patient.close()
    }

    @Test("by standing still cost a deadline, and not a thread for ever")
    func frozen() async throws {
        let server = try PostgresServer()
        let files = try await TestDatabase(on: server)
        let database = try await files.open(
            PostgreSQLSettings(connections: 2, patience: .milliseconds(300), beginDeadline: .milliseconds(200)))
        try await database.prepareHome()
        try server.freeze(true)
        let start = ContinuousClock.now
        let error = await #expect(throws: MetadataError(.unavailable, "")) { try await database.homeHead() }
        #expect(error?.isRetryable == true)
        #expect(ContinuousClock.now - start < .seconds(30))
        try server.freeze(false)
        #expect(try await database.write(commitBody(1)).revision == Revision(1))
        try await database.close()
    }
}
