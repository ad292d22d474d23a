import Blocks
import Files
import Foundation
import HTTPAPI
import Logging
import Messaging
import Metadata
import Model
import Storage
import StorageLocal
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
        let changes: [(String, (inout ServerConfiguration) -> Void)] = [
            (
                "database.standby_urls",
                { $0.database = .postgresql(url: "postgresql://u:hunter2@h", standbys: ["postgresql://s"], pool: 1) }
            )
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

    @Test("one copy being enough, writes go on with a directory away, also after a restart, and it gets what it lacks")
    func onePolicy() async throws {
        let away = directory.appending("away")
        let copies = try configuration {
            // Each append gets a pack of its own: a file that is open stays so when its folder is taken away.
            $0.storage = StorageChoice(place: .local(directories: [away]), packSize: 64, policy: .one)
        }
        var backends = try await open(copies)
        var places = try await backends.store.append([[1]])
        let disk = directory.appending("disk")
        try FileManager.default.moveItem(atPath: away, toPath: disk)
        places += try await backends.store.append([[2]])
        try await backends.store.check()
        try await backends.close()
        // An empty mount point is not filled.
        try FileManager.default.createDirectory(atPath: away, withIntermediateDirectories: true)
        backends = try await open(copies)
        places += try await backends.store.append([[3]])
        try await backends.store.check()
        #expect(try FileManager.default.contentsOfDirectory(atPath: away).isEmpty)
        #expect(try await backends.store.read(places) == [[1], [2], [3]])
        try FileManager.default.removeItem(atPath: away)
        try FileManager.default.moveItem(atPath: disk, toPath: away)
        #expect(try await backends.store.repairMissing() > 0)
        #expect(backends.store.statistics.pendingRepairs == 0)
        try await backends.close()
        // What was written without it is there in full now.
        try FileManager.default.removeItem(atPath: directory.appending("data") + "/packs/packs")
        let others = try await LocalBlockStore.open(directories: [away])
        #expect(try await others.read(places) == [[1], [2], [3]])
        try await others.close()
    }

    @Test("with the policy of all copies a directory that is away ends the start, and stops writes")
    func allPolicy() async throws {
        let away = directory.appending("away")
        let copies = try configuration {
            $0.storage = StorageChoice(place: .local(directories: [away]), packSize: 64)
        }
        let backends = try await open(copies)
        let place = try await backends.store.append([[1]])
        try FileManager.default.moveItem(atPath: away, toPath: directory.appending("disk"))
        await #expect(throws: StorageError(.unavailable, "")) { _ = try await backends.store.append([[2]]) }
        await #expect(throws: StorageError(.unavailable, "")) { try await backends.store.check() }
        #expect(try await backends.store.read(place) == [[1]])
        try await backends.close()
        let failure = try #require(await refusal(copies))
        #expect(failure.code == .configuration && failure.message.contains("is its disk mounted?"))
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
