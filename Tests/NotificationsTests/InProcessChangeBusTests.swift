import Messaging
import Model
import Synchronization
import Testing

@Suite("The bus within one process")
struct InProcessChangeBusTests {
    private final class Inbox: Sendable {
        let events = Mutex<[BusEvent]>([])

        var messages: [BusMessage] { events.withLock { $0.map(\.message) } }
        var sequences: [UInt64] { events.withLock { $0.map(\.sequence) } }

        func receive(_ event: BusEvent) { events.withLock { $0.append(event) } }
    }

    @Test("a message has reached every receiver when publishing returns")
    func delivery() async {
        let bus = InProcessChangeBus()
        let (first, second) = (Inbox(), Inbox())
        let subscriptions = [bus.subscribe(first.receive), bus.subscribe(second.receive)]
        await bus.publish(Polling.uploaded(1, to: 1))
        await bus.publish(.revoked(Polling.device(3)))
        #expect(first.messages == [Polling.uploaded(1, to: 1), .revoked(Polling.device(3))])
        #expect(second.messages == first.messages)
        withExtendedLifetime(subscriptions) {}
    }

    @Test("messages are numbered without gaps, and all receivers see one order")
    func order() async {
        let bus = InProcessChangeBus()
        let (first, second) = (Inbox(), Inbox())
        let subscriptions = [bus.subscribe(first.receive), bus.subscribe(second.receive)]
        await withTaskGroup(of: Void.self) { group in
            for number in 1...50 {
                group.addTask { await bus.publish(Polling.uploaded(UInt64(number), to: 1)) }
            }
        }
        #expect(first.sequences == Array(1...50))
        #expect(first.messages == second.messages)
        withExtendedLifetime(subscriptions) {}
    }

    @Test("a receiver hears nothing from before it subscribed and after it was cancelled")
    func span() async {
        let bus = InProcessChangeBus()
        let inbox = Inbox()
        await bus.publish(Polling.uploaded(1, to: 1))
        let subscription = bus.subscribe(inbox.receive)
        await bus.publish(Polling.uploaded(1, to: 2))
        subscription.cancel()
        subscription.cancel()
        await bus.publish(Polling.uploaded(1, to: 3))
        #expect(inbox.messages == [Polling.uploaded(1, to: 2)])
        #expect(inbox.sequences == [2])
    }

    @Test("a receiver goes with its subscription")
    func lifetime() async {
        let bus = InProcessChangeBus()
        let inbox = Inbox()
        do {
            let subscription = bus.subscribe(inbox.receive)
            await bus.publish(Polling.uploaded(1, to: 1))
            withExtendedLifetime(subscription) {}
        }
        await bus.publish(Polling.uploaded(1, to: 2))
        #expect(inbox.messages == [Polling.uploaded(1, to: 1)])
    }
}
