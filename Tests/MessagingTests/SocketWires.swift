import BusConformance
import Messaging
import MessagingLocal
import Synchronization
import TestSupport

/// A bus over a socket: a server, and processes that are connected to it, all within this one.
final class SocketWires: Sendable {
    let directory = TemporaryDirectory()
    let bus = InProcessChangeBus()
    let limits: SocketBusLimits
    private let server = Mutex<SocketBusServer?>(nil)
    private let connected = Connections()

    var path: String { directory.appending("bus.sock") }

    init(limits: SocketBusLimits = quick) throws {
        self.limits = limits
        try start()
    }

    /// Short pauses: tests are not to wait.
    static var quick: SocketBusLimits {
        var limits = SocketBusLimits()
        limits.firstPause = .milliseconds(1)
        limits.longestPause = .milliseconds(20)
        return limits
    }

    var peerCount: Int { server.withLock { $0?.peerCount ?? 0 } }

    /// Begins to serve.
    func start() throws {
        let started = try SocketBusServer(path: path, bus: bus, limits: limits)
        server.withLock { $0 = started }
    }

    /// Hangs up on everybody.
    func stop() async {
        await server.withLock { $0.take() }?.close()
    }

    /// A connected process.
    func connect(seed: UInt64 = 1) async throws -> SocketChangeBus {
        let before = connected.count
        let link = try SocketChangeBus(path: path, limits: limits, generator: SeededGenerator(seed: seed)) {
            [connected] in connected.note($0)
        }
        await connected.wait(for: before + 1)
        return link
    }

    /// How often a connection was made so far.
    var connectionCount: Int { connected.count }

    /// Waits until as many connections were made since the beginning.
    func waitForConnections(_ count: Int) async { await connected.wait(for: count) }

    /// Why connections were lost, so far.
    var losses: [BusSocketError.Code] { connected.losses }

    /// Everything as the conformance suite takes it: the server's own end, and two processes.
    static func open() async throws -> BusConformance.Wires {
        let wires = try SocketWires()
        let links = [try await wires.connect(seed: 1), try await wires.connect(seed: 2)]
        return BusConformance.Wires(
            ends: [wires.bus] + links,
            interrupt: {
                let before = wires.connectionCount
                await wires.stop()
                try wires.start()
                await wires.waitForConnections(before + links.count)
            },
            close: {
                for link in links { await link.close() }
                await wires.stop()
            })
    }
}

/// Counts connections, and lets tests wait for them.
final class Connections: Sendable {
    private struct State {
        var count = 0
        var losses: [BusSocketError.Code] = []
        var waiting: [(isEnough: @Sendable (State) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())

    var count: Int { state.withLock { $0.count } }
    var losses: [BusSocketError.Code] { state.withLock { $0.losses } }

    func note(_ connection: SocketChangeBus.Connection) {
        let ready = state.withLock { state in
            switch connection {
            case .made: state.count += 1
            case .lost(let error): state.losses.append(error.code)
            }
            let now = state
            state.waiting.removeAll { $0.isEnough(now) }
            return now.waiting.filter { $0.isEnough(now) }
        }
        for waiter in ready { waiter.continuation.resume() }
    }

    func wait(for count: Int) async { await wait { $0.count >= count } }

    func waitForLosses(_ count: Int) async { await wait { $0.losses.count >= count } }

    private func wait(until isEnough: @escaping @Sendable (State) -> Bool) async {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                if isEnough(state) { return true }
                state.waiting.append((isEnough, continuation))
                return false
            }
            if isReady { continuation.resume() }
        }
    }
}
