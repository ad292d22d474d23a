import Blocks
import Files
import Foundation
import HTTPAPI
import Logging
import Messaging
import MessagingConformance
import MessagingRedis
import Metadata
import Model
import RedisSupport
import Synchronization
import TestSupport
import Testing

@testable import cairn_server

@Suite("A process on Redis", .serialized, .timeLimit(.minutes(1)))
struct RedisBackendsTests {
    private typealias Fixture = QueueFixture

    /// Keeps what is logged.
    private final class Lines: Sendable {
        private let state = Mutex<[String]>([])

        var all: [String] { state.withLock { $0 } }

        var logger: Logger { Logger(label: "test") { _ in Handler(lines: self) } }

        private struct Handler: LogHandler {
            let lines: Lines
            var metadata: Logger.Metadata = [:]
            var logLevel = Logger.Level.trace

            subscript(metadataKey key: String) -> Logger.Metadata.Value? {
                get { metadata[key] }
                set { metadata[key] = newValue }
            }

            func log(event: LogEvent) {
                lines.state.withLock { $0.append("\(event.message) \(event.metadata ?? [:])") }
            }
        }
    }

    private let lines = Lines()

    private func open(
        _ change: (inout ServerConfiguration) -> Void
    ) async throws -> (backends: Backends, folder: TemporaryDirectory) {
        let folder = TemporaryDirectory()
        let settings = Settings.options(["--data", folder.appending("data")])
        var configuration = try ServerConfiguration(settings) { try String(contentsOfFile: $0, encoding: .utf8) }
        change(&configuration)
        return (try await Backends.open(configuration, metrics: PrometheusRegistry(), log: lines.logger), folder)
    }

    private func value(_ name: String, _ samples: [Sample]) -> Double? { samples.first { $0.name == name }?.value }

    private func queue(_ backends: Backends) async throws -> QueueSet {
        await QueueSet.open(
            try #require(backends.queues), feeds: false, database: backends.database, bus: backends.bus,
            clock: SystemWallClock(), isParked: { _ in false }, log: lines.logger)
    }

    @Test("what one process publishes, another one hears; and both tell how they are connected")
    func bus() async throws {
        let server = try await RedisServer.start()
        let processes = [
            try await open { $0.bus = .redis(server.endpoint) }, try await open { $0.bus = .redis(server.endpoint) },
        ]
        let heard = Mutex<[BusMessage]>([])
        let subscription = processes[1].backends.bus.subscribe { event in heard.withLock { $0.append(event.message) } }
        for process in processes {
            #expect(process.backends.busServer == nil)
            try await Patience.until { value("cairn_bus_connected", process.backends.samples) == 1 }
            #expect(value("cairn_bus_gaps_total", process.backends.samples) == 1)
        }
        let message = BusMessage.revoked(DeviceID(high: 1, low: 2))
        await processes[0].backends.bus.publish(message)
        try await Patience.until { heard.withLock { $0.contains(message) } }
        await server.crash()
        try await Patience.until { value("cairn_bus_connected", processes[1].backends.samples) == 0 }
        try await server.start()
        try await Patience.until { value("cairn_bus_gaps_total", processes[1].backends.samples) == 2 }
        withExtendedLifetime(subscription) {}
        for process in processes { try await process.backends.close() }
    }

    @Test("two installations on two databases of one Redis do not hear each other")
    func databases() async throws {
        let server = try await RedisServer.start()
        var other = server.endpoint
        other.database = 1
        let first = try await open { $0.bus = .redis(server.endpoint) }
        let second = try await open { $0.bus = .redis(other) }
        for process in [first, second] {
            try await Patience.until { value("cairn_bus_connected", process.backends.samples) == 1 }
        }
        let heard = Mutex<[BusMessage]>([])
        let subscription = second.backends.bus.subscribe { event in heard.withLock { $0.append(event.message) } }
        await first.backends.bus.publish(.revoked(DeviceID(high: 1, low: 1)))
        await second.backends.bus.publish(.revoked(DeviceID(high: 1, low: 2)))
        try await Patience.until { heard.withLock { $0.contains(.revoked(DeviceID(high: 1, low: 2))) } }
        #expect(heard.withLock { !$0.contains(.revoked(DeviceID(high: 1, low: 1))) })
        withExtendedLifetime(subscription) {}
        for process in [first, second] { try await process.backends.close() }
    }

    @Test("a process starts without Redis, says so, and uses it once it is there; the password is told nowhere")
    func away() async throws {
        let server = try await RedisServer.start("--requirepass", "hunter2")
        await server.crash()
        var endpoint = server.endpoint
        endpoint.password = "hunter2"
        let second = try await RedisServer.start()
        let (backends, folder) = try await open {
            $0.bus = .redis(endpoint)
            $0.queue = .redis(first: endpoint, second: second.endpoint)
            $0.cache = .redis(endpoint)
            $0.limits = .redis(endpoint)
        }
        let set = try await queue(backends)
        #expect(set.queue.status.isWritten == [false, true])
        let key = MetadataCacheKey("test1", [])
        for _ in 0..<2 { #expect(await backends.cache.get([key]).isEmpty) }
        let rule = RateRule(burst: 1, interval: .seconds(100))
        let limiter = try #require(backends.loginLimiter)
        #expect(await limiter.take(1, of: "a", by: rule) == .allowed)
        #expect(await limiter.take(1, of: "a", by: rule) != .allowed)
        await backends.bus.publish(.revoked(DeviceID(high: 1, low: 2)))
        try await Patience.until { lines.all.contains { $0.contains("the bus is not connected to Redis") } }
        #expect(value("cairn_cache_away", backends.samples) == 1 && value("cairn_limits_away", backends.samples) == 1)
        #expect(value("cairn_bus_connected", backends.samples) == 0)
        #expect(lines.all.count { $0.contains("Redis does not answer") } == 2)
        try await server.start()
        try await Patience.until { value("cairn_bus_connected", backends.samples) == 1 }
        // What was out is due after a pause, and both are tried by calls that nobody waits for.
        try await Patience.until {
            await set.queue.maintain(at: Fixture.time)
            await backends.cache.put([key: [7]])
            _ = await limiter.take(1, of: "b", by: rule)
            return set.queue.status.isWritten == [true, true] && value("cairn_cache_away", backends.samples) == 0
                && value("cairn_limits_away", backends.samples) == 0
        }
        await backends.cache.put([key: [7]])
        try await Patience.until { await backends.cache.get([key]) == [key: [7]] }
        #expect((value("cairn_cache_hits_total", backends.samples) ?? 0) >= 1)
        #expect((value("cairn_cache_errors_total", backends.samples) ?? 0) >= 2)
        #expect(lines.all.count { $0.contains("Redis answers again") } == 2)
        #expect(!lines.all.joined().contains("hunter2"))
        try await set.queue.close()
        try await backends.close()
        withExtendedLifetime(folder) {}
    }

    @Test("a wrong password is named in the log as such")
    func refused() async throws {
        let server = try await RedisServer.start("--requirepass", "right")
        var endpoint = server.endpoint
        endpoint.password = "hunter2"
        let (backends, folder) = try await open {
            $0.bus = .redis(endpoint)
            $0.cache = .redis(endpoint)
        }
        for _ in 0..<2 { _ = await backends.cache.get([MetadataCacheKey("test1", [])]) }
        try await Patience.until { lines.all.count { $0.contains("Redis refuses the login") } >= 2 }
        #expect(!lines.all.joined().contains("hunter2"))
        try await backends.close()
        withExtendedLifetime(folder) {}
    }

    @Test("two processes share the queue, and the second Redis stands in for the first")
    func queue() async throws {
        let servers = [try await RedisServer.start(), try await RedisServer.start()]
        var processes: [(backends: Backends, folder: TemporaryDirectory)] = []
        var sets: [QueueSet] = []
        for _ in 0..<2 {
            let process = try await open {
                $0.queue = .redis(first: servers[0].endpoint, second: servers[1].endpoint)
            }
            processes.append(process)
            sets.append(try await queue(process.backends))
        }
        try await Patience.until {
            for set in sets { await set.queue.maintain(at: Fixture.time) }
            return sets.allSatisfy { $0.queue.status.isWritten == [true, true] }
        }
        try await sets[1].queue.introduce(1)
        try await sets[0].queue.add([Fixture.moved(1, 1)], to: 1)
        #expect(try await sets[1].queue.read(1).entries == [Fixture.moved(1, 1)])
        #expect(
            sets[1].samples.contains { $0.name == "cairn_queue_read" && $0.labels == ["storage": "1"] && $0.value == 1 }
        )
        await servers[0].crash()
        #expect(try await sets[1].queue.read(1).entries == [Fixture.moved(1, 1)])
        #expect(
            sets[1].samples.contains { $0.name == "cairn_queue_read" && $0.labels == ["storage": "2"] && $0.value == 1 }
        )
        try await sets[0].queue.add([Fixture.moved(2, 1)], to: 1)
        #expect(try await sets[1].queue.read(1).entries == [Fixture.moved(1, 1), Fixture.moved(2, 1)])
        for set in sets { try await set.queue.close() }
        for process in processes { try await process.backends.close() }
    }

    @Test("a cache in memory is one of the process, and tells what it was asked")
    func memory() async throws {
        let (backends, folder) = try await open { $0.cache = .memory(bytes: 1 << 20) }
        let key = MetadataCacheKey("test1", [])
        #expect(await backends.cache.get([key]).isEmpty)
        await backends.cache.put([key: [1]])
        #expect(await backends.cache.get([key]) == [key: [1]])
        #expect(value("cairn_cache_hits_total", backends.samples) == 1)
        #expect(value("cairn_cache_misses_total", backends.samples) == 1)
        #expect((value("cairn_cache_bytes", backends.samples) ?? 0) > 128)
        #expect(backends.loginLimiter == nil)
        try await backends.close()
        withExtendedLifetime(folder) {}
    }

    @Test("without any of it nothing is told")
    func none() async throws {
        let (backends, folder) = try await open { _ in }
        #expect(backends.samples.isEmpty && !backends.cache.isUseful)
        try await backends.close()
        withExtendedLifetime(folder) {}
    }
}
