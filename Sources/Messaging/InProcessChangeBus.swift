import Synchronization

/// The bus of a server whose roles share one process: a message reaches the receivers before `publish` returns.
public final class InProcessChangeBus: ChangeBus {
    private struct State {
        var sequence: UInt64 = 0
        var nextReceiver = 0
        var receivers: [Int: @Sendable (BusEvent) -> Void] = [:]
    }

    private let state = Mutex(State())

    /// Makes a bus without receivers.
    public init() {}

    /// Tells a message to every receiver, within the call. Calls from several tasks take turns, so that every receiver
    /// sees one order.
    public func publish(_ message: BusMessage) async {
        state.withLock { state in
            state.sequence += 1
            let event = BusEvent(sequence: state.sequence, message: message)
            for receive in state.receivers.values { receive(event) }
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
