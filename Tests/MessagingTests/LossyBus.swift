import Messaging
import Model
import Synchronization

/// A bus that breaks its contract: when told, it loses a message and leaves no gap.
final class LossyBus: ChangeBus {
    let whole = InProcessChangeBus()
    private let heard = InProcessChangeBus()
    private let losing = Mutex(false)
    private let subscription = Mutex<BusSubscription?>(nil)

    init() {
        let subscribed = whole.subscribe { [heard, weak self] event in
            let isLost = self?.losing.withLock { losing in
                defer { losing = false }
                return losing
            }
            if isLost != true { heard.tell(event.message) }
        }
        subscription.withLock { $0 = subscribed }
    }

    /// Loses one message.
    func loseOne() {
        losing.withLock { $0 = true }
        whole.tell(.revoked(.init(high: 1, low: 1)))
    }

    func publish(_ message: BusMessage) async { await whole.publish(message) }

    func subscribe(_ receive: @escaping @Sendable (BusEvent) -> Void) -> BusSubscription {
        heard.subscribe(receive)
    }
}
