import Model
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing
import WireProtocol

@testable import SyncClient

@Suite("Waiting for the server's news", .timeLimit(.minutes(1)))
struct RemoteWatchTests {
    private let server = MemoryServer()

    /// Runs a watch until the server has seen what a condition asks for.
    private func watch(until isEnough: @escaping @Sendable (MemoryServer.State) -> Bool) async throws {
        let device = try TestDevice("a", server)
        let listener = RemoteWatch.Listener(link: try await device.linkID(), inbox: WatchInbox())
        let remote = RemoteWatch(context: device.context(), listeners: [listener])
        let (calls, bell) = AsyncStream<Void>.makeStream()
        server.setFault { _, _, _ in bell.yield() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await remote.run() }
            for await _ in calls where server.state.withLock({ isEnough($0) }) { break }
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    private func offer(_ servers: [String], dead: Set<String> = []) {
        server.state.withLock {
            $0.pollToken = PollTokenResponse(token: "t", expires: 1, lifetime: 600, servers: servers)
            $0.deadServers = dead
        }
    }

    @Test("a server that is older is polled with the device's own token")
    func older() async throws {
        try await watch { $0.places.count >= 1 }
        #expect(server.state.withLock { $0.places[0] } == .home)
        #expect(server.count(.pollToken) == 1)
    }

    @Test("one of the servers that are named is polled, with the poll token")
    func named() async throws {
        offer(["http://n1", "http://n2"])
        try await watch { $0.places.count >= 1 }
        let place = server.state.withLock { $0.places[0] }
        #expect(["http://n1", "http://n2"].contains(place.server))
        #expect(place.token == "t")
    }

    @Test("when one does not answer another does, and when none does the server itself")
    func failover() async throws {
        offer(["http://n1", "http://n2", "http://n3"], dead: ["http://n1", "http://n2"])
        try await watch { $0.places.contains { $0.server == "http://n3" } }
        offer(["http://n1", "http://n2"], dead: ["http://n1", "http://n2"])
        server.state.withLock { $0.places = [] }
        try await watch { $0.places.contains(.home) }
        let places = server.state.withLock { $0.places }
        #expect(Set(places.prefix(2).map(\.server)) == ["http://n1", "http://n2"])
        #expect(places.count == 3)
    }

    @Test("a poll token that is refused ends nothing; the device's own does")
    func unauthorized() async throws {
        offer(["http://n1"])
        let device = try TestDevice("a", server)
        let listener = RemoteWatch.Listener(link: try await device.linkID(), inbox: WatchInbox())
        let remote = RemoteWatch(context: device.context(), listeners: [listener])
        server.setFault { call, _, moment in
            if call == .poll, moment == .after { throw ClientError(.unauthorized, "refused") }
        }
        #expect(await failure { try await remote.run() } == .unauthorized)
        #expect(
            server.state.withLock { $0.places }
                == [PollPlace(server: "http://n1", token: "t"), .home])
    }
}
