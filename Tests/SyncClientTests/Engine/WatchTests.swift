import Model
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@testable import SyncClient

@Suite("A watched folder")
struct WatchTests {
    let server = MemoryServer()

    /// A watched device, whose events can be waited for.
    private final class Watched: Sendable {
        let device: TestDevice
        let inbox = WatchInbox()
        let events: AsyncStream<WatchEvent>
        private let bell: AsyncStream<WatchEvent>.Continuation

        init(_ device: TestDevice) {
            self.device = device
            (events, bell) = AsyncStream.makeStream()
        }

        func service() async throws -> LinkWatch {
            let link = try await device.linkID()
            let engine = try LinkEngine(
                link: link, folder: device.folder.path, home: ClientHome(folder: device.home.path),
                meter: TrafficMeter(device.server)
            ) { [device] in device.context() }
            return LinkWatch(
                engine: engine, context: device.context(), inbox: inbox, report: { [bell] in bell.yield($0) })
        }

        /// Waits for the first pass after which a condition holds.
        func pass(until condition: () throws -> Bool) async throws {
            for await event in events {
                if case .pass = event, try condition() { return }
            }
        }
    }

    @Test("an edit is committed without a word; news are fetched when told; closing ends it", .timeLimit(.minutes(1)))
    func watching() async throws {
        let watched = Watched(try TestDevice("a", server))
        let other = try TestDevice("b", server)
        let service = try await watched.service()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await service.run() }
            try await watched.pass { true }
            try watched.device.write("dir/made", "here")
            try await watched.pass { server.state.withLock { $0.journal.tree.count } == 2 }
            try await other.sync()
            #expect(other.read("dir/made") == "here")
            try other.write("dir/told", "there")
            try await other.sync()
            watched.inbox.noteNews()
            try await watched.pass { watched.device.read("dir/told") == "there" }
            watched.inbox.close()
            try await group.waitForAll()
        }
        #expect(watched.device.tree == other.tree)
    }

    @Test("an edit asks the server for nothing but its commit", .timeLimit(.minutes(1)))
    func economy() async throws {
        let watched = Watched(try TestDevice("a", server))
        let service = try await watched.service()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await service.run() }
            try await watched.pass { true }
            server.resetCounts()
            try watched.device.write("made", "here")
            try await watched.pass { server.head.revision == Revision(1) }
            #expect(server.count(.submit) == 1)
            #expect(server.totalCalls == 1)
            watched.inbox.close()
            try await group.waitForAll()
        }
    }

    @Test("a revoked token ends the watching with its reason", .timeLimit(.minutes(1)))
    func revoked() async throws {
        let watched = Watched(try TestDevice("a", server))
        let service = try await watched.service()
        server.setFault { _, _, _ in throw ClientError(.unauthorized, "the device was revoked") }
        #expect(await failure { try await service.run() } == .unauthorized)
    }

    @Test("the long poll tells every link of news, and polls again once they are taken", .timeLimit(.minutes(1)))
    func remote() async throws {
        let watched = Watched(try TestDevice("a", server))
        let other = try TestDevice("b", server)
        let link = try await watched.device.linkID()
        try other.write("file", "text")
        try await other.sync()
        let service = try await watched.service()
        let remote = RemoteWatch(
            context: watched.device.context(), listeners: [.init(link: link, inbox: watched.inbox)])
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await service.run() }
            try await watched.pass { watched.device.exists("file") }
            try other.write("file", "text, edited")
            try await other.sync()
            let polling = Task { try await remote.run() }
            try await watched.pass { watched.device.read("file") == "text, edited" }
            polling.cancel()
            _ = await polling.result
            watched.inbox.close()
            try await group.waitForAll()
        }
        #expect(server.count(.poll) >= 1)
    }

    @Test("an inbox that is closed wakes whoever waits, and stays closed")
    func closing() async throws {
        let inbox = WatchInbox()
        let called = Mutex(0)
        inbox.onClose { called.withLock { $0 += 1 } }
        async let waiting = inbox.nextPass()
        inbox.close()
        #expect(await waiting?.scope == nil)
        inbox.onClose { called.withLock { $0 += 1 } }
        #expect(called.withLock { $0 } == 2)
        inbox.noteNews()
        #expect(await inbox.nextPass()?.scope == nil)
    }
}
