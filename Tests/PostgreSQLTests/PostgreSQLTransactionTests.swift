import Metadata
import MetadataConformance
import MetadataPostgreSQL
import Model
import Synchronization
import TestSupport
import Testing

private struct Refused: Error, Equatable {}

/// Notes a name unless two names are noted, and lets a test in between the look and the note.
private func noteFirst(
    _ name: String, _ counter: Counter, _ between: @escaping @Sendable () -> Void
) -> @Sendable (any MetadataConnection) throws -> Bool {
    { connection throws in
        let count = try connection.first("SELECT COUNT(*) FROM maintenance", [])?.integer(0)
        if counter.add() == 1 { between() }
        guard count == 0 else { return false }
        try WorkProgressQueries(connection).set([1], of: name, at: Fixture.time)
        return true
    }
}

@Suite("Transactions of PostgreSQL", .serialized)
struct PostgreSQLTransactionTests {
    @Test("that each look at what the other writes happen one after the other")
    func writeSkew() async throws {
        let files = try await TestDatabase()
        let database = try await files.open()
        let (one, other, gate) = (Counter(), Counter(), Gate())
        // The first has looked, and waits; the second does all that it does meanwhile.
        async let first = database.write(noteFirst("one", one) { gate.wait() })
        await gate.waitUntilEntered()
        #expect(try await database.write(noteFirst("other", other) {}))
        gate.open()
        #expect(try await !first)
        #expect(one.value == 2 && other.value == 1)
        #expect(
            try await database.read { try $0.query("SELECT name FROM maintenance", []) } == [SQLRow([.text("other")])])
        try await database.close()
    }

    @Test("that others get in the way of for too long fail as busy, and have changed nothing")
    func endlessConflict() async throws {
        let files = try await TestDatabase()
        let patient = try await files.open()
        let database = try await files.open(PostgreSQLSettings(connections: 2, patience: .milliseconds(1)))
        let (counter, gate) = (Counter(), Gate())
        async let call = failure(of: { _ = try await database.write(noteFirst("one", counter) { gate.wait() }) })
        await gate.waitUntilEntered()
        #expect(try await patient.write(noteFirst("other", Counter()) {}))
        try await patient.write { try $0.execute("DELETE FROM maintenance", []) }
        gate.open()
        let error = await call
        #expect(error?.code == .busy && error?.isRetryable == true && counter.value == 1)
        #expect(try await database.read { try $0.query("SELECT name FROM maintenance", []) }.isEmpty)
        try await database.close()
        try await patient.close()
    }

    @Test("of several servers that want the same row all the time are all done")
    func rivals() async throws {
        let files = try await TestDatabase()
        let servers = [try await files.open(), try await files.open(), try await files.open()]
        try await servers[0].prepareHome()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<6 as Range<UInt64> {
                let database = servers[Int(task % 3)]
                group.addTask {
                    for number in task * 100 + 1...task * 100 + 40 { try await database.write(commitBody(number)) }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await servers[0].homeHead()?.revision == Revision(240))
        #expect(try await servers[1].homeFaults().isEmpty)
        for database in servers { try await database.close() }
    }

    @Test("that have to be alone wait for those that run, and see what these wrote")
    func alone() async throws {
        let files = try await TestDatabase()
        let database = try await files.open()
        try await database.prepareHome()
        let direct = try files.direct()
        let counter = Counter()
        let revision = try await database.write { connection throws in
            // Others are in the way three times, by what they commit between the view of this one and its lock.
            _ = try NamespaceQueries(connection).head(of: Fixture.namespace)
            if counter.add() <= 3 {
                try DirectConnection(files.string).run("UPDATE namespace SET created = created + 1")
            } else {
                let modes = try connection.query(
                    """
                    SELECT mode FROM pg_locks WHERE pid = pg_backend_pid() AND relation = 'schema_version'::regclass
                    """, [])
                #expect(modes == [SQLRow([.text("ExclusiveLock")])])
            }
            return try commitBody(1)(connection).revision
        }
        #expect(counter.value == 4 && revision == Revision(1))
        #expect(try direct.value("SELECT created FROM namespace") == "\(Fixture.time.nanoseconds + 3)")
        try await database.close()
    }

    @Test("whose body goes on after a failure are done again with savepoints, and once only")
    func goesOn() async throws {
        let files = try await TestDatabase()
        let database = try await files.open()
        try await database.prepareHome()
        let counter = Counter()
        try await database.write { connection in
            counter.add()
            _ = try commitBody(1)(connection)
            #expect(throws: MetadataError(.alreadyExists, "")) {
                try AccountQueries(connection).create(Fixture.accountRecord())
            }
            _ = try commitBody(2)(connection)
        }
        #expect(counter.value == 2)
        #expect(try await database.homeHead()?.revision == Revision(2))
        #expect(try await database.homeFaults().isEmpty)
        try await database.close()
    }

    @Test("whose body swallows its last failure keep what it did before")
    func swallowsLast() async throws {
        let files = try await TestDatabase()
        let database = try await files.open()
        try await database.prepareHome()
        try await database.write { connection in
            _ = try commitBody(1)(connection)
            try? AccountQueries(connection).create(Fixture.accountRecord())
        }
        #expect(try await database.homeHead()?.revision == Revision(1))
        try await database.close()
    }

    @Test("whose body ends by a failure run once")
    func failsOnce() async throws {
        let files = try await TestDatabase()
        let database = try await files.open()
        try await database.prepareHome()
        let counter = Counter()
        await #expect(throws: MetadataError(.alreadyExists, "")) {
            try await database.write { connection in
                counter.add()
                try AccountQueries(connection).create(Fixture.accountRecord())
            }
        }
        await #expect(throws: Refused()) {
            try await database.write { connection throws in
                do { try AccountQueries(connection).create(Fixture.accountRecord()) } catch { throw Refused() }
            }
        }
        #expect(counter.value == 1)
        try await database.close()
    }

    @Test("keep the rows before the one that fails, when the body goes on")
    func manyWithFailure() async throws {
        let files = try await TestDatabase()
        let database = try await files.open()
        let insert = "INSERT INTO page (account, id, bytes) VALUES ($1, $2, $3)"
        try await database.write { connection in
            let rows = [1, 2, 2, 3].map { [SQLValue.blob([1]), .blob([$0]), .blob([])] }
            #expect(throws: MetadataError(.alreadyExists, "")) { try connection.executeMany(insert, rows) }
        }
        let found = try await database.read { try $0.query("SELECT id FROM page ORDER BY id", []) }
        #expect(found == [SQLRow([.blob([1])]), SQLRow([.blob([2])])])
        try await database.close()
    }

    @Test("that a body ends itself write nothing", arguments: [true, false])
    func endedByBody(goesOn: Bool) async throws {
        let files = try await TestDatabase()
        let database = try await files.open()
        try await database.prepareHome()
        await #expect(throws: MetadataError.self) {
            try await database.write { connection in
                _ = try commitBody(1)(connection)
                _ = try? connection.execute("ROLLBACK", [])
                if goesOn { _ = try? commitBody(2)(connection) }
            }
        }
        #expect(try await database.homeHead()?.revision == .zero)
        #expect(try await database.write(commitBody(3)).revision == Revision(1))
        try await database.close()
    }

    @Test("that only read can't write")
    func readOnly() async throws {
        let files = try await TestDatabase()
        let database = try await files.open()
        await #expect(throws: MetadataError.self) {
            try await database.read { try $0.execute("DELETE FROM page", []) }
        }
        try await database.close()
    }

    @Test("take values of any kind in a place where nothing was before, and the other way round")
    func nothingAndValues() async throws {
        let files = try await TestDatabase()
        let database = try await files.open(PostgreSQLSettings(connections: 1))
        try await database.prepareHome()
        try await database.write { try DeviceQueries($0).create(Fixture.deviceRecord(1)) }
        for value in [SQLValue.null, .integer(5), .null, .integer(.min)] {
            let back = try await database.write {
                try $0.first(
                    "UPDATE device SET revoked = $1 WHERE id = $2 RETURNING revoked",
                    [
                        value, .blob(Fixture.deviceRecord(1).id.bytes),
                    ])
            }
            #expect(back == SQLRow([value]))
        }
        let changed = try await database.write {
            try $0.executeMany(
                "UPDATE device SET revoked = $1, name = $2",
                [[.null, .text("a")], [.integer(7), .text("b")], [.null, .text("c")]])
        }
        #expect(changed == 3)
        try await database.close()
    }

    @Test("tell of text that PostgreSQL can't keep, and of values that are not of the column's type")
    func unfit() async throws {
        let files = try await TestDatabase()
        let database = try await files.open()
        for value in [SQLValue.text("a\0b"), .text("not bytes"), .integer(1)] {
            await #expect(throws: MetadataError(.constraint, "")) {
                try await database.write { connection throws in
                    if case .text("a\0b") = value {
                        _ = try connection.query("SELECT name FROM account WHERE name = $1", [value])
                    } else {
                        try connection.execute(
                            "INSERT INTO page (account, id, bytes) VALUES ($1, $2, $2)", [value, .blob([1])])
                    }
                }
            }
        }
        await #expect(throws: MetadataError(.constraint, "")) {
            try await database.read { try $0.query("SELECT id FROM account WHERE name = $1 AND id = $2", [.text("a")]) }
        }
        await #expect(throws: MetadataError(.corrupt, "")) {
            try await database.read { try $0.query("SELECT 1.5", []) }
        }
        try await database.prepareHome()
        try await database.close()
    }

    @Test("prepare a statement once for each connection, and keep a bounded number of them")
    func preparedStatements() async throws {
        let files = try await TestDatabase()
        let database = try await files.open(PostgreSQLSettings(connections: 1))
        let count: @Sendable (any MetadataConnection) throws -> Int64? = {
            try $0.first("SELECT COUNT(*) FROM pg_prepared_statements", [])?.integer(0)
        }
        let before = try await database.read(count)
        for _ in 0..<5 { _ = try await database.homeHead() }
        #expect(try await database.read(count) == before.map { $0 + 1 })
        try await database.read { connection throws in
            for number in 0..<700 { _ = try connection.query("SELECT \(number)", []) }
        }
        #expect(try await database.read(count).map { $0 <= 600 } == true)
        #expect(try await database.homeHead() == nil)
        try await database.close()
    }

    @Test("send thousands of rows, small and large, and count all that changed")
    func manyRows() async throws {
        let files = try await TestDatabase()
        let database = try await files.open()
        let rows = (0..<3000).map { number in
            [
                SQLValue.blob([1]), .blob([UInt8(number & 255), UInt8(number >> 8)]),
                .blob([UInt8](repeating: 7, count: number % 10 == 0 ? 30_000 : 10)),
            ]
        }
        let changed = try await database.write {
            try $0.executeMany("INSERT INTO page (account, id, bytes) VALUES ($1, $2, $3)", rows)
        }
        #expect(changed == 3000)
        let sum = try await database.read {
            try $0.first("SELECT COUNT(*), CAST(SUM(LENGTH(bytes)) AS BIGINT) FROM page", [])
        }
        #expect(sum == SQLRow([.integer(3000), .integer(300 * 30_000 + 2700 * 10)]))
        try await database.close()
    }
}
