import Files
import HTTPAPI
import Logging
import Metadata
import MetadataSQLite
import Model
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@testable import cairn_server

@Suite("Services of a process", .timeLimit(.minutes(1)))
struct ServiceTests {
    private static let quiet = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    /// What happened, in order.
    private final class Events: Sendable {
        private let state = Mutex<[String]>([])

        var all: [String] { state.withLock { $0 } }

        func add(_ event: String) { state.withLock { $0.append(event) } }

        func wait(for event: String) async {
            while !all.contains(event) { await Task.yield() }
        }
    }

    /// Runs until the group stops, as the services of the server do.
    private struct Endless: Service {
        let events: Events
        let name: String
        var readiness: Readiness?

        func run() async throws {
            events.add("\(name) runs")
            await cancelWhenGracefulShutdown {
                for await _ in AsyncStream<Never>.makeStream().stream {}
            }
            let suffix = readiness.map { $0.isDraining ? " after draining" : " before draining" } ?? ""
            events.add("\(name) ends\(suffix)")
        }
    }

    private func group(_ services: [any Service]) -> ServiceGroup {
        ServiceGroup(configuration: ServiceGroupConfiguration(services: services, logger: Self.quiet))
    }

    @Test("a process says that it drains before the first of its services stops")
    func drains() async throws {
        let (events, readiness) = (Events(), Readiness())
        let group = group([
            Endless(events: events, name: "server", readiness: readiness),
            DrainService(readiness: readiness, duration: .zero),
        ])
        async let run: Void = group.run()
        await events.wait(for: "server runs")
        #expect(!readiness.isDraining)
        await group.triggerGracefulShutdown()
        try await run
        #expect(events.all == ["server runs", "server ends after draining"])
    }

    private func hold(_ database: any MetadataDatabase, _ number: UInt64, isAlone: Bool) -> HoldLease {
        // Time stands still: nobody is silent for long enough.
        var rules = LeaseRules(
            elapsed: { .zero },
            pause: { _ in
                for await _ in AsyncStream<Never>.makeStream().stream {}
                throw CancellationError()
            })
        rules.isAlone = isAlone
        return HoldLease(
            "job", by: LeaseHolder(high: 4, low: number), database: database, rules: rules, log: Self.quiet)
    }

    @Test("a job under a lease runs until the process stops, and is given back", arguments: [true, false])
    func leased(isAlone: Bool) async throws {
        let directory = TemporaryDirectory()
        let database = try SQLiteMetadataDatabase(path: directory.appending("cairn.db"))
        let events = Events()
        for number in 1...2 as ClosedRange<UInt64> {
            let service = LeasedService(description: "job", hold: hold(database, number, isAlone: isAlone)) { lease in
                Endless(events: events, name: "term \(lease.term)")
            }
            let group = group([service])
            async let run: Void = group.run()
            await events.wait(for: "term \(number) runs")
            #expect(
                try await database.read { try LeaseQueries($0).record(of: "job")?.holder }
                    == LeaseHolder(high: 4, low: number))
            await group.triggerGracefulShutdown()
            try await run
            #expect(try await database.read { try LeaseQueries($0).record(of: "job")?.holder } == nil)
        }
        #expect(events.all == ["term 1 runs", "term 1 ends", "term 2 runs", "term 2 ends"])
        try await database.close()
    }

    @Test("a process that waits for a job stops at once")
    func waiting() async throws {
        let directory = TemporaryDirectory()
        let database = try SQLiteMetadataDatabase(path: directory.appending("cairn.db"))
        try await database.write {
            _ = try LeaseQueries($0).take("job", by: LeaseHolder(high: 5, low: 5), after: nil)
        }
        let events = Events()
        let service = LeasedService(description: "job", hold: hold(database, 1, isAlone: false)) { _ in
            Endless(events: events, name: "job")
        }
        let group = group([Endless(events: events, name: "other"), service])
        async let run: Void = group.run()
        await events.wait(for: "other runs")
        await group.triggerGracefulShutdown()
        try await run
        #expect(events.all == ["other runs", "other ends"])
        #expect(
            try await database.read { try LeaseQueries($0).record(of: "job")?.holder } == LeaseHolder(high: 5, low: 5))
        try await database.close()
    }
}
