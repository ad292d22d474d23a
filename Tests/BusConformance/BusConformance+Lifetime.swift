import Messaging

extension BusConformance {
    static let lifetimeChecks = [
        Check(description: "a receiver that was cancelled hears nothing any more") { wires in
            for (place, end) in wires.ends.enumerated() {
                let (first, second) = (message(1, by: UInt64(place)), message(2, by: UInt64(place)))
                let (inbox, fence) = (BusInbox(), BusInbox())
                let subscription = end.subscribe(inbox.receive)
                let other = end.subscribe(fence.receive)
                await wires.ends[0].publish(first)
                await inbox.wait(for: first)
                subscription.cancel()
                subscription.cancel()
                await wires.ends[0].publish(second)
                await fence.wait(for: second)
                try require(!inbox.news.contains(second), "it heard \(inbox.news)")
                withExtendedLifetime(other) {}
            }
        },
        Check(description: "a receiver goes with its subscription") { wires in
            for (place, end) in wires.ends.enumerated() {
                let (first, second) = (message(1, by: UInt64(place)), message(2, by: UInt64(place)))
                let (inbox, fence) = (BusInbox(), BusInbox())
                let other = end.subscribe(fence.receive)
                do {
                    let subscription = end.subscribe(inbox.receive)
                    await wires.ends[0].publish(first)
                    await inbox.wait(for: first)
                    withExtendedLifetime(subscription) {}
                }
                await wires.ends[0].publish(second)
                await fence.wait(for: second)
                try require(!inbox.news.contains(second), "it heard \(inbox.news)")
                withExtendedLifetime(other) {}
            }
        },
        Check(description: "publishing without a receiver does no harm") { wires in
            for end in wires.ends { await end.publish(message(1)) }
            let (inboxes, subscriptions) = wires.listen()
            await wires.ends[0].publish(message(2))
            for inbox in inboxes { await inbox.wait(for: message(2)) }
            withExtendedLifetime(subscriptions) {}
        },
    ]
}
