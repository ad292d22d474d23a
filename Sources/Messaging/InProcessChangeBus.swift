import Synchronization

/// The bus of a server whose roles share one process: a message reaches the receivers before `publish` returns.
public final class InProcessChangeBus: ChangeBus {
    private struct State {
        var sequence: UInt64 = 0
        var nextReceiver = 0
        var receivers: [Int: @Sendable (BusEvent) -> Void] = [:]

        mutating func tell(_ message: BusMessage) {
            sequence += 1
            let event = BusEvent(sequence: sequence, message: message)
            for receive in receivers.values { receive(event) }
        }
    }

    private let state = Mutex(State())

    /// Makes a bus without receivers.
    public init() {}

    /// Tells a message to every receiver, within the call. Calls from several tasks take turns, so that every receiver
    /// sees one order.
    public func publish(_ message: BusMessage) async { tell(message) }

    /// The same for callers that are not asynchronous. Not to be called by a receiver.
    public func tell(_ message: BusMessage) {
        state.withLock { $0.tell(message) }
    }

    /// Lets every receiver see a gap: messages that were to be told here were lost on their way. A receiver that has
    /// heard nothing yet sees it too, since a message of no news comes before the gap, and one after it.
    public func leaveGap() {
        state.withLock { state in
            state.tell(.resumed)
            state.sequence += 1
            state.tell(.resumed)
        }
    }

    /// Adds a receiver.
    public func subscribe(_ receive: @escaping @Sendable (BusEvent) -> Void) -> BusSubscription {
        let receiver = state.withLock { state in
            state.nextReceiver += 1
            state.receivers[state.nextReceiver] = receive
            return state.nextReceiver
        }
        return BusSubscription { [weak self] in
            // Let go of the closure outside of the lock: what it holds may be the last reference to a subscriber.
            let gone = self?.state.withLock { $0.receivers.removeValue(forKey: receiver) }
            withExtendedLifetime(gone) {}
        }
    }
}
