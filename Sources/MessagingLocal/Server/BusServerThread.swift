import Glibc
import Messaging

/// What the thread of a ``SocketBusServer`` does: it waits for connections and bytes, and moves both on.
struct BusServerThread {
    private struct Peer {
        let number: BusServerState.PeerNumber
        let since: ContinuousClock.Instant
        var connection: BusConnection
    }

    private let listener: Int32
    private let bus: InProcessChangeBus
    private let shared: BusServerState
    private let limits: SocketBusLimits
    private let report: (BusSocketError) -> Void
    private var peers: [Peer] = []

    init(
        listener: Int32, bus: InProcessChangeBus, shared: BusServerState, limits: SocketBusLimits,
        report: @escaping (BusSocketError) -> Void
    ) {
        self.listener = listener
        self.bus = bus
        self.shared = shared
        self.limits = limits
        self.report = report
    }

    /// Serves until the server is closed, then hangs up on everybody.
    mutating func run() {
        while !shared.isClosed { turn() }
        LocalSocket.hangUp(listener)
        for peer in peers { drop(peer) }
    }

    private mutating func turn() {
        var readiness = Readiness()
        let call = readiness.add(shared.wakeup.descriptor)
        let arrival = readiness.add(listener)
        let places = peers.map { readiness.add($0.connection.descriptor, writing: $0.connection.isSending) }
        readiness.wait(peers.contains { !$0.connection.isGreeted } ? limits.patience : nil)
        if readiness.canRead(call) { shared.wakeup.clear() }
        for index in peers.indices.reversed() {
            do throws(BusSocketError) {
                try serve(index, readiness, places[index])
            } catch {
                drop(peers.remove(at: index))
                if error.code != .closed { report(error) }
            }
        }
        if readiness.canRead(arrival) { admit() }
    }

    private mutating func serve(_ index: Int, _ readiness: Readiness, _ place: Int) throws(BusSocketError) {
        if readiness.canRead(place) {
            for frame in try peers[index].connection.receive() { try take(frame, from: peers[index].number) }
        }
        if !peers[index].connection.isGreeted, peers[index].since.duration(to: .now) > limits.patience {
            throw BusSocketError(.silent, "a process connected to the bus and said nothing")
        }
        let number = peers[index].number
        if shared.isBehind(number) { throw BusSocketError(.silent, "a process read too slowly from the bus") }
        // What is put down for a peer after its turn wakes the next turn.
        let hasRoom = peers[index].connection.isSending ? readiness.canWrite(place) : shared.hasBytes(for: number)
        if hasRoom { try peers[index].connection.send { shared.take(for: number) } }
    }

    private mutating func admit() {
        while let descriptor = LocalSocket.accept(listener) {
            guard peers.count < limits.peers else {
                LocalSocket.hangUp(descriptor)
                continue
            }
            let number = shared.admit()
            var peer = Peer(number: number, since: .now, connection: BusConnection(descriptor))
            do throws(BusSocketError) {
                // The greeting goes out before anything is read, so that a process of another version learns of it.
                try peer.connection.send { [shared] in shared.take(for: number) }
                peers.append(peer)
            } catch {
                drop(peer)
            }
        }
    }

    private func take(_ frame: BusFrame, from number: BusServerState.PeerNumber) throws(BusSocketError) {
        switch frame {
        case .publish(let message):
            bus.tell(message)
            shared.send(.acknowledged, to: number)
        case .lost: bus.leaveGap()
        case .hello, .event, .acknowledged:
            throw BusSocketError(.malformed, "a process sent a frame that only the server sends")
        }
    }

    private func drop(_ peer: Peer) {
        shared.remove(peer.number)
        LocalSocket.hangUp(peer.connection.descriptor)
    }
}
