import Messaging
import Synchronization

/// What the tasks that publish and the thread of a ``SocketChangeBus`` share.
final class BusLinkState: Sendable {
    typealias Waiter = CheckedContinuation<Void, Never>

    private struct State {
        var publications: Publications<Waiter>
        var isClosed = false
    }

    let wakeup: Wakeup
    private let state: Mutex<State>

    init(wakeup: Wakeup, capacity: Int) {
        self.wakeup = wakeup
        state = Mutex(State(publications: Publications(capacity: capacity)))
    }

    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// How many messages are on their way and not acknowledged.
    var underWayCount: Int { state.withLock { $0.publications.underWayCount } }

    /// Has a message published, and the waiter resumed when that is done or can't be waited for.
    func publish(_ message: BusMessage, _ waiter: Waiter) {
        let (done, isConnected) = state.withLock { state in
            let done = state.isClosed ? waiter : state.publications.add(message, waiter)
            return (done, state.publications.isConnected)
        }
        done?.resume()
        if isConnected { wakeup.raise() }
    }

    func connect() { state.withLock { $0.publications.connect() } }

    /// The bytes to send now.
    func take() -> [UInt8] {
        state.withLock { $0.publications.take() }.flatMap(\.encoded)
    }

    func acknowledge() throws(BusSocketError) {
        let answer = state.withLock { state in
            Result { () throws(BusSocketError) in try state.publications.acknowledge() }
        }
        try answer.get()?.resume()
    }

    func disconnect() {
        for waiter in state.withLock({ $0.publications.disconnect() }) { waiter.resume() }
    }

    func close() {
        state.withLock { $0.isClosed = true }
        wakeup.raise()
    }
}
