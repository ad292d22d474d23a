import Metadata
import MetadataConformance
import MetadataPostgreSQL
import Model
import PostgreSQLSupport
import Synchronization
import TestSupport
import Testing

/// The process of the server that serves a connection, kept where a test finds it.
private final class ServingProcess: Sendable {
    private let number = Atomic<Int64>(0)

    var value: Int64 { number.load(ordering: .acquiring) }

    func note(_ connection: any MetadataConnection) throws {
        let row = try connection.first("SELECT pg_backend_pid()", [])
        number.store(try row?.integer(0) ?? 0, ordering: .releasing)
    }
}

/// Makes every commit that stores a page take as long as a test holds the lock 7.
private let slowCommit = [
    """
    CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN NULL; END $$
    """,
    """
    CREATE CONSTRAINT TRIGGER hold AFTER INSERT ON page DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION hold()
    """,
]

@Suite("Connections to PostgreSQL that are lost", .serialized)
struct PostgreSQLLostConnectionTests {
    private func terminate(_ process: ServingProcess, _ files: TestDatabase) async throws {
        let admin = try DirectConnection(files.server.string("postgres"))
        try admin.run("SELECT pg_terminate_backend(\(process.value))")
        try await admin.wait(for: "SELECT COUNT(*) FROM pg_stat_activity WHERE pid = \(process.value)", toBe: "0")
    }

    @Test("in the middle of a read cost nothing but another try")
    func inRead() async throws {
        let files = try await TestDatabase()
        let database = try await files.open()
        try await database.prepareHome()
        let (process, counter, gate) = (ServingProcess(), Counter(), Gate())
        async let call = database.read { connection throws in
            try process.note(connection)
            if counter.add() == 1 { gate.wait() }
            return try NamespaceQueries(connection).head(of: Fixture.namespace)?.revision
        }
        await gate.waitUntilEntered()
        try await terminate(process, files)
        gate.open()
        #expect(try await call == .zero)
        #expect(counter.value == 2)
        try await database.close()
    }

    @Test("in the middle of a write leave nothing, and it is done again", arguments: [false, true])
    func inWrite(isSwallowed: Bool) async throws {
        let files = try await TestDatabase()
        let database = try await files.open()
        try await database.prepareHome()
        let (process, counter, gate) = (ServingProcess(), Counter(), Gate())
        async let call: Void = database.write { connection in
            _ = try commitBody(1)(connection)
            try process.note(connection)
            if counter.add() == 1 { gate.wait() }
            // A body that goes on as if nothing were wrong has still written nothing.
            if isSwallowed { _ = try? commitBody(2)(connection) } else { _ = try commitBody(2)(connection) }
        }
        await gate.waitUntilEntered()
        try await terminate(process, files)
        #expect(try files.direct().value("SELECT COUNT(*) FROM node") == "0")
        gate.open()
        try await call
        #expect(counter.value == 2)
        #expect(try await database.homeHead()?.revision == Revision(2))
        #expect(try await database.homeFaults().isEmpty)
        try await database.close()
    }

    @Test("at the commit leave it unknown whether the write took place, and it is not done again")
    func atCommit() async throws {
        let files = try await TestDatabase()
        let database = try await files.open(PostgreSQLSettings(connections: 4, commitDeadline: .seconds(60)))
        let direct = try files.direct()
        for sql in slowCommit { try direct.run(sql) }
        try direct.run("SELECT pg_advisory_lock(7)")
        let (process, counter) = (ServingProcess(), Counter())
        async let call = failure(of: {
            try await database.write { connection in
                counter.add()
                try process.note(connection)
                try PageQueries(connection).store([(Fixture.page(1), [1])], account: Fixture.account)
            }
        })
        let atCommit = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND query = 'COMMIT'"
        try await direct.wait(for: atCommit + " AND wait_event = 'advisory'", toBe: "1")
        try await terminate(process, files)
        let error = await call
        #expect(error?.code == .io && error?.isRetryable == false && error?.message.contains("not known") == true)
        #expect(counter.value == 1)
        try direct.run("SELECT pg_advisory_unlock(7)")
        try await database.write { try PageQueries($0).store([(Fixture.page(2), [1])], account: Fixture.account) }
        #expect(try direct.value("SELECT COUNT(*) FROM page") == "1")
        try await database.close()
    }

    @Test("by a commit that takes too long leave it unknown as well, and cost no more than the deadline")
    func slowCommitDeadline() async throws {
        let files = try await TestDatabase()
        let database = try await files.open(PostgreSQLSettings(connections: 2, commitDeadline: .milliseconds(200)))
        let direct = try files.direct()
        for sql in slowCommit { try direct.run(sql) }
        try direct.run("SELECT pg_advisory_lock(7)")
        let start = ContinuousClock.now
        let error = await #expect(throws: MetadataError(.io, "")) {
            try await database.write {
                try PageQueries($0).store([(Fixture.page(1), [1])], account: Fixture.account)
            }
        }
        #expect(error?.isRetryable == false)
        #expect(ContinuousClock.now - start >= .milliseconds(200))
        #expect(try await database.homeHead() == nil)
        // It did take place in the end: the caller could not know.
        try direct.run("SELECT pg_advisory_unlock(7)")
        try await direct.wait(for: "SELECT COUNT(*) FROM page", toBe: "1")
        try await database.close()
    }

    @Test("while nobody used them are made anew without an error")
    func whileIdle() async throws {
        let files = try await TestDatabase()
        let database = try await files.open()
        for _ in 0..<3 { #expect(try await database.homeHead() == nil) }
        let admin = try DirectConnection(files.server.string("postgres"))
        let others = "FROM pg_stat_activity WHERE datname = '\(files.name)'"
        try admin.run("SELECT pg_terminate_backend(pid) \(others)")
        try await admin.wait(for: "SELECT COUNT(*) \(others)", toBe: "0")
        try await database.prepareHome()
        #expect(try await database.homeHead()?.revision == .zero)
        try await database.close()
    }

    @Test("to a server that takes no writes any more are dropped, and the call is tried elsewhere")
    func turnedReadOnly() async throws {
        let files = try await TestDatabase()
        let database = try await files.open()
        try await database.prepareHome()
        let counter = Counter()
        let processes = Mutex<Set<Int64>>([])
        try await database.write { connection in
            let process = ServingProcess()
            try process.note(connection)
            processes.withLock { _ = $0.insert(process.value) }
            if counter.add() == 1 { try connection.execute("SET TRANSACTION READ ONLY", []) }
            _ = try commitBody(1)(connection)
        }
        #expect(counter.value == 2 && processes.withLock(\.count) == 2)
        #expect(try await database.homeHead()?.revision == Revision(1))
        try await database.close()
    }

    @Test("by a statement that takes too long fail as busy, and nothing has happened")
    func slowStatement() async throws {
        let files = try await TestDatabase()
        let database = try await files.open(PostgreSQLSettings(connections: 2, statementDeadline: .milliseconds(300)))
        try await database.prepareHome()
        let error = await #expect(throws: MetadataError.self) {
            try await database.write { connection in
                _ = try commitBody(1)(connection)
                _ = try connection.query("SELECT pg_sleep(20)", [])
            }
        }
        #expect(error?.isRetryable == true)
        #expect(try await database.homeHead()?.revision == .zero)
        try await database.close()
    }
}
