import Messaging
import Synchronization

/// What the threads that publish and the thread of a ``SocketBusServer`` share: the bytes that wait for each process.
final class BusServerState: Sendable {
    /// Names a connected process.
    typealias PeerNumber = Int

    private struct Outlet {
        var outbox: BusOutbox
        var isBehind = false
    }

    private struct State {
        var outlets: [PeerNumber: Outlet] = [:]
        var issued = 0
        var isClosed = false
    }

    let wakeup: Wakeup
    private let backlog: Int
    private let state = Mutex(State())

    init(wakeup: Wakeup, backlog: Int) {
        self.wakeup = wakeup
        self.backlog = backlog
    }

    var peerCount: Int { state.withLock { $0.outlets.count } }

    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Has an event sent to every process. Called under the bus's lock, it does no more than put bytes down.
    func forward(_ event: BusEvent) {
        let frame = BusFrame.event(event).encoded
        let isHeard = state.withLock { state in
            for number in state.outlets.keys { Self.add(frame, to: number, in: &state) }
            return !state.outlets.isEmpty
        }
        if isHeard { wakeup.raise() }
    }

    /// Adds a process: it hears the greeting, and then everything that is published from now on.
    func admit() -> PeerNumber {
        state.withLock { state in
            state.issued += 1
            state.outlets[state.issued] = Outlet(outbox: BusOutbox(capacity: backlog))
            Self.add(BusFrame.hello(version: BusFrame.version).encoded, to: state.issued, in: &state)
            return state.issued
        }
    }

    /// Has a frame sent to one process.
    func send(_ frame: BusFrame, to number: PeerNumber) {
        state.withLock { Self.add(frame.encoded, to: number, in: &$0) }
    }

    private static func add(_ frame: [UInt8], to number: PeerNumber, in state: inout State) {
        guard let outlet = state.outlets[number], !outlet.isBehind else { return }
        let isTaken = state.outlets[number]?.outbox.add(frame) ?? true
        if !isTaken { state.outlets[number]?.isBehind = true }
    }

    /// Takes the bytes that wait for a process.
    func take(for number: PeerNumber) -> [UInt8] {
        state.withLock { $0.outlets[number]?.outbox.take() ?? [] }
    }

    func hasBytes(for number: PeerNumber) -> Bool {
        state.withLock { $0.outlets[number]?.outbox.isEmpty == false }
    }

    /// Whether more came for a process than may wait.
    func isBehind(_ number: PeerNumber) -> Bool {
        state.withLock { $0.outlets[number]?.isBehind ?? true }
    }

    func remove(_ number: PeerNumber) {
        state.withLock { _ = $0.outlets.removeValue(forKey: number) }
    }

    func close() {
        state.withLock { $0.isClosed = true }
        wakeup.raise()
    }
}
