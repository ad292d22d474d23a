import BusConformance
import Messaging
import MessagingRedis
import RedisSupport
import Synchronization
import TestSupport

/// Some buses over one server, and how often each was connected.
final class RedisWires: Sendable {
    let server: RedisServer
    let buses: [RedisChangeBus]
    private let counts: [Connections]
    private let unpublished: Int

    /// Counts connections, and lets tests wait for them.
    final class Connections: Sendable {
        private struct State {
            var made = 0
            var losses: [RedisError] = []
            var waiting: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
        }

        private let state = Mutex(State())

        var made: Int { state.withLock { $0.made } }
        var losses: [RedisError] { state.withLock { $0.losses } }

        func note(_ connection: RedisChangeBus.Connection) {
            let ready = state.withLock { state in
                switch connection {
                case .made: state.made += 1
                case .lost(let error): state.losses.append(error)
                }
                let made = state.made
                defer { state.waiting.removeAll { $0.count <= made } }
                return state.waiting.filter { $0.count <= made }
            }
            for waiter in ready { waiter.continuation.resume() }
        }

        func wait(for count: Int) async {
            await withCheckedContinuation { continuation in
                let isThere = state.withLock { state in
                    if state.made < count { state.waiting.append((count, continuation)) }
                    return state.made >= count
                }
                if isThere { continuation.resume() }
            }
        }
    }

    init(_ count: Int = 2, unpublished: Int = 256) async throws {
        server = try await RedisServer.start()
        self.unpublished = unpublished
        var limits = RedisBusLimits()
        limits.unpublished = unpublished
        limits.silence = .milliseconds(600)
        counts = (0..<count).map { _ in Connections() }
        buses = try zip(0..., counts).map { [server] seed, connections in
            try RedisChangeBus(
                server.endpoint, limits: limits, generator: SeededGenerator(seed: UInt64(seed)),
                report: connections.note)
        }
        await waitForConnections(1)
    }

    func waitForConnections(_ count: Int) async {
        for connections in counts { await connections.wait(for: count) }
    }

    func losses(of place: Int) -> [RedisError] { counts[place].losses }

    func connectionCount(of place: Int) -> Int { counts[place].made }

    func interrupt() async throws {
        let before = counts.map(\.made)
        await server.crash()
        try await server.start()
        for (connections, count) in zip(counts, before) { await connections.wait(for: count + 1) }
        // While what has waited is not out, a message may still become a gap.
        try await Patience.until { buses.allSatisfy { $0.status.backlog < unpublished / 2 } }
    }

    func close() async {
        for bus in buses { await bus.close() }
        await server.crash()
    }

    static func open() async throws -> BusConformance.Wires {
        let wires = try await RedisWires()
        return BusConformance.Wires(
            ends: wires.buses, interrupt: { try await wires.interrupt() }, close: { await wires.close() })
    }
}
