import Messaging
import Model

extension BusConformance {
    static let deliveryChecks = [
        Check(description: "a message reaches every receiver, wherever it is published") { wires in
            let (inboxes, subscriptions) = wires.listen()
            let messages = wires.ends.indices.map { message(UInt64($0 + 1)) } + [.revoked(DeviceID(high: 9, low: 3))]
            for (number, message) in messages.enumerated() {
                await wires.ends[number % wires.ends.count].publish(message)
            }
            for (place, inbox) in inboxes.enumerated() {
                for message in messages { await inbox.wait(for: message) }
                try require(inbox.news == messages, "end \(place) heard \(inbox.news)")
            }
            withExtendedLifetime(subscriptions) {}
        },
        Check(description: "two receivers in one place hear the same") { wires in
            let (first, firstSubscriptions) = wires.listen()
            let (second, secondSubscriptions) = wires.listen()
            for number in 1...20 { await wires.ends[0].publish(message(UInt64(number))) }
            for (place, inboxes) in zip(first, second).enumerated() {
                await inboxes.0.wait(for: message(20))
                await inboxes.1.wait(for: message(20))
                try require(inboxes.0.events == inboxes.1.events, "end \(place) heard two things")
            }
            withExtendedLifetime(firstSubscriptions + secondSubscriptions) {}
        },
        Check(description: "all receivers hear one order, and each publisher's own is kept") { wires in
            let (inboxes, subscriptions) = wires.listen()
            let count: UInt64 = 200
            await withTaskGroup(of: Void.self) { group in
                for (place, end) in wires.ends.enumerated() {
                    group.addTask {
                        for number in 1...count { await end.publish(message(number, by: UInt64(place))) }
                    }
                }
            }
            let total = Int(count) * wires.ends.count
            for inbox in inboxes { await inbox.wait { $0.count { $0.message != .resumed } == total } }
            for (place, inbox) in inboxes.enumerated() {
                try require(inbox.news == inboxes[0].news, "end \(place) heard another order")
                try require(!inbox.hasGap, "end \(place) saw a gap, but nothing was lost")
            }
            for place in wires.ends.indices {
                let own = inboxes[0].news.filter { $0 == message(revision($0), by: UInt64(place)) }
                try require(own.map(revision) == Array(1...count), "the order of publisher \(place) was not kept")
            }
            withExtendedLifetime(subscriptions) {}
        },
    ]

    private static func revision(_ message: BusMessage) -> UInt64 {
        guard case .changed(let notice) = message else { return 0 }
        return notice.revision.number
    }
}
