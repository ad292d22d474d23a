public import Messaging
import Synchronization

/// A bus within one process that loses messages when it is told to: they get their numbers, and reach nobody.
public final class LossyChangeBus: ChangeBus {
    private let state = Mutex<(sequence: UInt64, receivers: [Int: @Sendable (BusEvent) -> Void])>((0, [:]))

    /// Makes a bus without receivers.
    public init() {}

    /// Tells a message to every receiver, within the call.
    public func publish(_ message: BusMessage) async {
        state.withLock { state in
            state.sequence += 1
            for receive in state.receivers.values {
                receive(BusEvent(sequence: state.sequence, message: message))
            }
        }
    }

    /// Loses so many messages.
    public func lose(_ count: UInt64 = 1) {
        state.withLock { $0.sequence += count }
    }

    /// Adds a receiver.
    public func subscribe(_ receive: @escaping @Sendable (BusEvent) -> Void) -> BusSubscription {
        let receiver = state.withLock { state in
            let receiver = state.receivers.count
            state.receivers[receiver] = receive
            return receiver
        }
        return BusSubscription { [weak self] in
            let gone = self?.state.withLock { $0.receivers.removeValue(forKey: receiver) }
            withExtendedLifetime(gone) {}
        }
    }
}
