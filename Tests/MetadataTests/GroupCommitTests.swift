import Metadata
import MetadataConformance
import MetadataSQLite
import Model
import Synchronization
import TestSupport
import Testing

private struct Mistake: Error, Equatable {}

/// A number that many tasks add to.
private final class Counter: Sendable {
    private let number = Mutex(0)

    var value: Int { number.withLock { $0 } }

    func add(_ more: Int) { number.withLock { $0 += more } }
}

@Suite("Writes that arrive together", .serialized)
struct GroupCommitTests {
    private let directory = TemporaryDirectory()
    private let path: String
    private let database: SQLiteMetadataDatabase

    init() async throws {
        path = directory.appending("metadata.db")
        database = try SQLiteMetadataDatabase(path: path)
        try await database.prepareHome()
    }

    private func transactions() throws -> Int { try WriteAheadLog(ofDatabase: path).transactions }

    @Test("share one transaction")
    func shareOne() async throws {
        let before = try transactions()
        let outcomes = try await database.together((1...64).map(commitBody))
        #expect(try outcomes.map { try $0.get().revision?.number } == Array(1...64))
        #expect(try transactions() == before + 1)
        #expect(try await database.homeFaults().isEmpty)
    }

    @Test("one after the other have a transaction each")
    func aloneWhenAlone() async throws {
        let before = try transactions()
        for number in 1...5 as ClosedRange<UInt64> { try await database.write(commitBody(number)) }
        #expect(try transactions() == before + 5)
    }

    @Test("are at most 128 in one transaction")
    func boundedCount() async throws {
        let before = try transactions()
        // With the write that holds the connection there are 301.
        let outcomes = try await database.together((1...300).map(commitBody))
        #expect(try outcomes.map { try $0.get().revision?.number } == Array(1...300))
        #expect(try transactions() == before + 3)
    }

    @Test("end a transaction that has changed 20,000 rows")
    func boundedRows() async throws {
        let before = try transactions()
        let writes = (1...4 as ClosedRange<UInt64>).map { number in
            { @Sendable (connection: any MetadataConnection) in
                let account = AccountID(high: 0, low: number)
                try PageQueries(connection).store((0..<15_000).map { (Fixture.page($0), []) }, account: account)
            }
        }
        _ = try await database.together(writes)
        #expect(try transactions() == before + 2)
    }

    @Test("are undone each by itself when they throw")
    func savepoints() async throws {
        let writes = (1...9 as ClosedRange<UInt64>).map { number in
            { @Sendable (connection: any MetadataConnection) in
                let outcome = try commitBody(number)(connection)
                if number % 3 == 0 { throw Mistake() }
                return outcome
            }
        }
        let before = try transactions()
        let outcomes = try await database.together(writes)
        for (index, outcome) in outcomes.enumerated() {
            if (index + 1) % 3 == 0 {
                #expect(throws: Mistake()) { try outcome.get() }
            } else {
                #expect(try outcome.get().revision != nil)
            }
        }
        #expect(try transactions() == before + 1)
        #expect(try await database.homeHead()?.revision == Revision(6))
        #expect(try await database.homeFaults().isEmpty)
    }

    @Test("are answered only when all of them are durable")
    func answersAfterCommit() async throws {
        let (answered, answeredAtLast) = (Counter(), Counter())
        let gate = Gate()
        async let held: Void = database.write { _ in gate.wait() }
        await gate.waitUntilEntered()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 1...20 {
                group.addTask { [database] in
                    try await database.write { connection in
                        _ = try commitBody(UInt64(number))(connection)
                        if number == 20 { answeredAtLast.add(answered.value) }
                    }
                    answered.add(1)
                }
                while database.waitingWrites < number { await Task.yield() }
            }
            gate.open()
            try await group.waitForAll()
        }
        try await held
        #expect(answeredAtLast.value == 0 && answered.value == 20)
    }

    @Test("are not seen by reads before they are durable")
    func invisibleBefore() async throws {
        let outcomes = try await database.together((1...3).map(commitBody)) {
            let head = try await database.homeHead()
            #expect(head?.revision == .zero)
        }
        #expect(outcomes.count == 3)
        #expect(try await database.homeHead()?.revision == Revision(3))
    }

    @Test("beyond the bound of the queue are told to come again")
    func boundedQueue() async throws {
        let write: @Sendable (any MetadataConnection) throws -> Int = { _ in 1 }
        let outcomes = try await database.together(
            [@Sendable (any MetadataConnection) throws -> Int](
                repeating: write, count: 4096)
        ) {
            let error = await #expect(throws: MetadataError(.busy, "")) { try await database.write(write) }
            #expect(error?.isRetryable == true && error?.message.contains(path) == true)
        }
        #expect(try outcomes.map { try $0.get() }.reduce(0, +) == 4096)
        try await database.write { _ in }
    }

    @Test("still run when the database is closed behind them, later ones do not")
    func closing() async throws {
        let outcomes = try await withThrowingTaskGroup(of: Void.self) { group in
            let outcomes = try await database.together((1...10).map(commitBody)) {
                group.addTask { [database] in try await database.close() }
                // The closing has begun when no more writes are let in; those that are, wait with the others.
                while !database.isClosed { await Task.yield() }
            }
            try await group.waitForAll()
            return outcomes
        }
        #expect(try outcomes.allSatisfy { try $0.get().revision != nil })
        let again = try SQLiteMetadataDatabase(path: path)
        #expect(try await again.homeHead()?.revision == Revision(10))
        try await again.close()
    }
}
