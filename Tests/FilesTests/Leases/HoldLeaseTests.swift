import Logging
import Metadata
import MetadataSQLite
import Model
import Synchronization
import TestSupport
import Testing

@testable import Files

@Suite("Jobs that one process does at a time", .timeLimit(.minutes(1)))
struct HoldLeaseTests {
    private let directory = TemporaryDirectory()
    private let database: any MetadataDatabase
    private let news = LeaseNews()
    private let time: LeaseTime
    private let journal: LeaseJournal

    init() throws {
        time = LeaseTime(news)
        journal = LeaseJournal(news)
        database = try SQLiteMetadataDatabase(path: directory.appending("cairn.db"))
    }

    private func hold(
        _ number: UInt64, over line: LeaseLine? = nil, time: LeaseTime? = nil, isAlone: Bool = false
    ) -> HoldLease {
        var rules = (time ?? self.time).rules
        rules.isAlone = isAlone
        return HoldLease(
            "thin", by: LeaseHolder(high: 7, low: number), database: line ?? database, rules: rules,
            log: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    private func record() async throws -> LeaseRecord? {
        try await database.read { try LeaseQueries($0).record(of: "thin") }
    }

    @Test("a job that nobody does is taken at once, and given back at its end")
    func ends() async throws {
        try await hold(1).run { lease in
            #expect(lease.term == 1)
            let found = try? await record()
            #expect(found == LeaseRecord(holder: lease.holder, term: 1, beat: 0))
        }
        #expect(try await record()?.holder == nil)
        // The next one need not wait.
        try await hold(2).run { #expect($0.term == 2) }
    }

    @Test("what a job throws is thrown, and the job is given back")
    func fails() async throws {
        struct Broken: Error {}
        await #expect(throws: Broken.self) { try await hold(1).run { _ in throw Broken() } }
        #expect(try await record()?.holder == nil)
    }

    @Test("of two processes one does the job, for as long as it lives; then the other one does")
    func takesOver() async throws {
        let (first, second) = (hold(1), hold(2))
        let one = Task { try await first.run(journal.job("one")) }
        try await journal.wait(for: ["one"])
        let two = Task { try await second.run(journal.job("two")) }
        // Two of the holder, and one of who waits.
        try await time.pass(.seconds(120), asleep: 3)
        #expect(journal.begun == ["one"])
        #expect(try #require(try await record()).beat >= 10)
        one.cancel()
        await #expect(throws: CancellationError.self) { try await one.value }
        try await time.pass(.seconds(10), asleep: 1)
        try await journal.wait(for: ["two"])
        #expect(try await record()?.term == 2)
        #expect(journal.most == 1)
        two.cancel()
        _ = await two.result
    }

    @Test("the job of a process that is silent is taken when the lease is over, and no sooner", arguments: [1, 2])
    func silent(seen: UInt64) async throws {
        let dead = LeaseHolder(high: 9, low: 9)
        try await database.write { _ = try LeaseQueries($0).take("thin", by: dead, after: nil) }
        let hold = hold(1)
        let task = Task { try await hold.run(journal.job("one")) }
        if seen == 2 {
            // It had been silent for a while, and then was heard once more.
            try await time.pass(.seconds(20), asleep: 1)
            try await database.write { try LeaseQueries($0).beat(Lease(name: "thin", holder: dead, term: 1)) }
            try await time.pass(.seconds(8), asleep: 1)
        }
        // It looks every seven and a half seconds; the last change it saw was at its start, or a look after the beat.
        try await time.pass(.seconds(seen == 1 ? 29 : 21), asleep: 1)
        #expect(journal.begun.isEmpty)
        try await time.pass(.seconds(9), asleep: 1)
        try await journal.wait(for: ["one"])
        #expect(try await record()?.term == 2)
        task.cancel()
        _ = await task.result
    }

    @Test("a process that can't reach the database stops before anybody else begins", arguments: [true, false])
    func cutOff(hangs: Bool) async throws {
        let line = LeaseLine(database)
        let (first, second) = (hold(1, over: line), hold(2))
        let one = Task { try await first.run(journal.job("one")) }
        try await journal.wait(for: ["one"])
        let two = Task { try await second.run(journal.job("two")) }
        try await time.pass(.seconds(60), asleep: 3)
        #expect(journal.begun == ["one"])
        line.set(hangs ? .hangs : .fails)
        // A sign of life that hangs is none that waits.
        try await time.pass(.seconds(30), asleep: hangs ? 2 : 3) { journal.running.isEmpty }
        #expect(journal.begun == ["one"])
        try await time.pass(.seconds(50), asleep: hangs ? 1 : 2) { journal.running == ["two"] }
        try await journal.wait(for: ["two"])
        #expect(journal.most == 1)
        // Back again, it finds that the job is another's, and waits.
        line.set(.none)
        try await time.pass(.seconds(60), asleep: 3)
        #expect(journal.running == ["two"] && journal.begun == ["one", "two"])
        one.cancel()
        two.cancel()
        _ = await (one.result, two.result)
    }

    @Test("a process that was frozen ends its job when it wakes, and changes nothing under its lease")
    func frozen() async throws {
        let its = LeaseTime(news)
        let (first, second) = (hold(1, time: its), hold(2))
        let held = Mutex<Lease?>(nil)
        let one = Task {
            try await first.run { lease in
                held.withLock { $0 = lease }
                try await journal.job("one")(lease)
            }
        }
        try await journal.wait(for: ["one"])
        let two = Task { try await second.run(journal.job("two")) }
        // Its clock stands still, as it does for who is frozen.
        try await time.pass(.seconds(60), asleep: 1) { journal.running == ["one", "two"] }
        try await time.pass(.seconds(30), asleep: 2)
        #expect(journal.running == ["one", "two"])
        let former = try #require(held.withLock { $0 })
        await #expect(throws: LeaseLost(name: "thin")) {
            try await database.write { try LeaseQueries($0).ensure(former) }
        }
        its.advance(by: .seconds(60))
        try await journal.wait(for: ["two"])
        try await time.pass(.seconds(60), with: [its], asleep: 3)
        #expect(journal.begun == ["one", "two"])
        one.cancel()
        two.cancel()
        _ = await (one.result, two.result)
        #expect(try await record()?.holder == nil)
    }

    @Test("a job that finds out by itself that it was lost is begun again when its turn comes")
    func loses() async throws {
        let tries = Mutex(0)
        let hold = hold(1)
        let task = Task {
            try await hold.run { lease in
                defer { news.tell() }
                let number = tries.withLock { tries in
                    tries += 1
                    return tries
                }
                if number == 1 { throw LeaseLost(name: "thin") }
            }
        }
        try await time.pass(.seconds(60), asleep: 1) { tries.withLock { $0 } == 2 }
        try await task.value
        #expect(tries.withLock { $0 } == 2)
    }

    @Test("a process that is alone takes a job at once, whoever had it, and gives no signs of life")
    func alone() async throws {
        try await database.write {
            _ = try LeaseQueries($0).take("thin", by: LeaseHolder(high: 9, low: 9), after: nil)
        }
        let hold = hold(1, isAlone: true)
        let task = Task { try await hold.run(journal.job("one")) }
        try await journal.wait(for: ["one"])
        time.advance(by: .seconds(120))
        #expect(try await record() == LeaseRecord(holder: LeaseHolder(high: 7, low: 1), term: 2, beat: 0))
        task.cancel()
        _ = await task.result
        #expect(try await record()?.holder == nil)
    }

    @Test("a job waits for a database that is not there yet")
    func waits() async throws {
        let line = LeaseLine(database)
        line.set(.fails)
        let hold = hold(1, over: line)
        let task = Task { try await hold.run(journal.job("one")) }
        try await time.pass(.seconds(20), asleep: 1)
        #expect(journal.begun.isEmpty)
        line.set(.none)
        try await time.pass(.seconds(8), asleep: 1)
        try await journal.wait(for: ["one"])
        task.cancel()
        _ = await task.result
    }
}
