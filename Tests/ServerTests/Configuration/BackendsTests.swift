import Blocks
import Files
import Foundation
import HTTPAPI
import Logging
import Messaging
import Metadata
import Model
import Storage
import TestSupport
import Testing

@testable import cairn_server

@Suite("The systems that a process works on")
struct BackendsTests {
    private let directory = TemporaryDirectory()
    private let log = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    private func configuration(
        _ change: (inout ServerConfiguration) -> Void = { _ in }
    ) throws -> ServerConfiguration {
        let settings = Settings.options(["--data", directory.appending("data")])
        var configuration = try ServerConfiguration(settings) { try String(contentsOfFile: $0, encoding: .utf8) }
        change(&configuration)
        return configuration
    }

    private func open(_ configuration: ServerConfiguration) async throws -> Backends {
        try await Backends.open(configuration, metrics: PrometheusRegistry(), log: log)
    }

    private func refusal(_ configuration: ServerConfiguration) async -> Failure? {
        do {
            try await open(configuration).close()
            return nil
        } catch { return error as? Failure }
    }

    @Test("by default everything lies in the data directory, which is this process's until it lets go")
    func whole() async throws {
        let backends = try await open(try configuration())
        #expect(backends.isAlone && backends.lock != nil && backends.queues != nil && backends.busServer != nil)
        #expect(backends.archive == nil)
        let place = try await backends.store.append([[1, 2, 3]])
        #expect(try await backends.store.read(place[0]) == [1, 2, 3])
        try await backends.store.check()
        #expect(try await backends.database.read { try Schema.appliedVersion($0) } == Schema.version)
        let second = await refusal(try configuration())
        #expect(second?.code == .unavailable)
        try await backends.close()
        let again = try await open(try configuration())
        #expect(try await again.store.read(place[0]) == [1, 2, 3])
        try await again.close()
    }

    @Test("a process opens what its roles need")
    func parts() async throws {
        let block = try await open(try configuration { $0.roles = [.block] })
        #expect(block.queues == nil)
        try await block.store.check()
        try await block.close()
        let notify = try await open(try configuration { $0.roles = [.notify] })
        #expect(notify.queues == nil)
        await #expect(throws: StorageError.self) { try await notify.store.check() }
        await #expect(throws: StorageError.self) { _ = try await notify.store.append([[1]]) }
        #expect(try await notify.store.repairMissing() == 0)
        try await notify.close()
    }

    @Test("systems that are not built in yet are named")
    func notBuiltIn() async throws {
        let region = S3Region(
            name: "a", endpoint: "https://a", bucket: "b", region: "r", accessKey: "k", secretKey: "s",
            authorities: nil,
            isPathStyle: false)
        let changes: [(String, (inout ServerConfiguration) -> Void)] = [
            (
                "database.standby_urls",
                { $0.database = .postgresql(url: "postgresql://u:hunter2@h", standbys: ["postgresql://s"], pool: 1) }
            ),
            ("storage.kind: s3", { $0.storage.place = .s3([region], policy: .all) }),
        ]
        for (name, change) in changes {
            let fresh = TemporaryDirectory()
            let failure = await refusal(
                try configuration {
                    change(&$0)
                    $0.data = fresh.appending("data")
                })
            #expect(failure?.code == .configuration, "\(name)")
            #expect(failure?.message == "\(name): is not built in yet")
        }
    }

    @Test("a keyring that was named is used, and never made by a process")
    func keyRing() async throws {
        let path = directory.appending("ring")
        let named = try configuration { $0.keyRingFile = path }
        let failure = try #require(await refusal(named))
        #expect(failure.code == .configuration && failure.message.contains(path))
        #expect(!FileManager.default.fileExists(atPath: path))
        #expect(try KeyRingFile(path: path).create(.generate()))
        #expect(try !KeyRingFile(path: path).create(.generate()), "there is one already")
        // The failed start has let go of the directory only when its process ended: another one is used here.
        let fresh = TemporaryDirectory()
        let backends = try await open(
            try configuration {
                $0.keyRingFile = path
                $0.data = fresh.appending("data")
            })
        #expect(try backends.keyRing.keyRing().text == KeyRingFile(path: path).keyRing().text)
        #expect(!FileManager.default.fileExists(atPath: fresh.appending("data") + "/keyring"))
        try await backends.close()
    }

    @Test("the queues may lie elsewhere")
    func queues() async throws {
        let (first, second) = (directory.appending("q1"), directory.appending("q2"))
        let backends = try await open(try configuration { $0.queue = .sql(first: first, second: second) })
        let replicas = try #require(backends.queues)
        let queue = await QueueSet.open(
            replicas, feeds: false, database: backends.database, bus: backends.bus, clock: SystemWallClock(),
            isParked: { _ in false }, log: log)
        #expect(queue.feeder == nil)
        #expect(queue.queue.status.isWritten == [true, true])
        for path in [first, second] { #expect(FileManager.default.fileExists(atPath: path + "/queue.db")) }
        #expect(queue.samples.contains { $0.name == "cairn_queue_untold" && $0.value == 0 })
        try await queue.queue.close()
        try await backends.close()
    }
}
