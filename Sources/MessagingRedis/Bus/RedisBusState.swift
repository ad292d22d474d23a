import Messaging
import Synchronization

/// What the tasks that publish and the two threads of a ``RedisChangeBus`` share.
final class RedisBusState: Sendable {
    typealias Waiter = CheckedContinuation<Void, Never>

    private struct State {
        var ledger: BusLedger<Waiter>
        var isClosed = false
        /// The run of the server that is published to; empty when none is.
        var run = ""
        /// The run of the server that is heard; empty when none is.
        var heard = ""
        /// What was reported last; nil before anything was.
        var isMade: Bool?
        var gaps = 0
    }

    let local = InProcessChangeBus()
    let publisherCall: Wakeup
    let subscriberCall: Wakeup
    private let state: Mutex<State>
    private let report: @Sendable (RedisChangeBus.Connection) -> Void

    init(
        instance: BusInstanceID, capacity: Int, report: @escaping @Sendable (RedisChangeBus.Connection) -> Void
    ) throws(RedisError) {
        publisherCall = try Wakeup()
        subscriberCall = try Wakeup()
        state = Mutex(State(ledger: BusLedger(instance: instance, capacity: capacity)))
        self.report = report
    }

    var isClosed: Bool { state.withLock { $0.isClosed } }

    var status: RedisBusStatus {
        state.withLock { state in
            RedisBusStatus(isConnected: Self.isConnected(state), gaps: state.gaps, backlog: state.ledger.backlog)
        }
    }

    /// Has a message published, and the waiter resumed when that is done or can't be waited for.
    func publish(_ message: BusMessage, _ waiter: Waiter) {
        let (done, isConnected) = state.withLock { state in
            if state.isClosed { return (Optional(waiter), false) }
            let (tell, done) = state.ledger.add(message, waiter)
            self.tell(tell, &state)
            return (done, state.ledger.isPublishing)
        }
        done?.resume()
        if isConnected { publisherCall.raise() }
    }

    /// What is to be sent now.
    func take(atMost limit: Int) -> [BusPacket] { state.withLock { $0.ledger.take(atMost: limit) } }

    func sent() {
        for waiter in state.withLock({ $0.ledger.sent() }) { waiter.resume() }
    }

    func publisherConnected(to run: String) {
        state.withLock { state in
            state.ledger.publisherConnected()
            state.run = run
            reportMade(&state)
        }
        subscriberCall.raise()
    }

    func publisherLost(_ error: RedisError?) {
        let done = state.withLock { state in
            let (tell, done) = state.ledger.publisherLost()
            state.run = ""
            self.tell(tell, &state)
            reportLost(error, &state)
            return done
        }
        for waiter in done { waiter.resume() }
    }

    /// Whether this run of the server is not the one that is published to.
    func isElsewhere(_ run: String) -> Bool { state.withLock { !$0.run.isEmpty && $0.run != run } }

    func subscriberConnected(to run: String) {
        state.withLock { state in
            state.heard = run
            tell(state.ledger.subscriberConnected(), &state)
            reportMade(&state)
        }
    }

    func subscriberLost(_ error: RedisError?) {
        state.withLock { state in
            state.heard = ""
            tell(state.ledger.subscriberLost(), &state)
            reportLost(error, &state)
        }
    }

    func hear(_ packet: BusPacket) {
        state.withLock { state in tell(state.ledger.hear(packet), &state) }
    }

    func close() {
        state.withLock { $0.isClosed = true }
        publisherCall.raise()
        subscriberCall.raise()
    }

    // Under the lock, so that all receivers see one order.

    private func tell(_ tellings: [BusLedger<Waiter>.Telling], _ state: inout State) {
        for telling in tellings {
            switch telling {
            case .message(let message): local.tell(message)
            case .gap:
                state.gaps += 1
                local.leaveGap()
            }
        }
    }

    /// One of the two may not have found out yet that its server is gone, when the other one is connected to the next.
    private static func isConnected(_ state: borrowing State) -> Bool { !state.run.isEmpty && state.run == state.heard }

    private func reportMade(_ state: inout State) {
        guard Self.isConnected(state) else { return }
        state.isMade = true
        report(.made)
    }

    private func reportLost(_ error: RedisError?, _ state: inout State) {
        guard let error, state.isMade != false else { return }
        state.isMade = false
        report(.lost(error))
    }
}
