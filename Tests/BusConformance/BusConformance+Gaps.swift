import Messaging
import Synchronization

extension BusConformance {
    static let gapChecks = [
        Check(description: "across an interruption a receiver hears every message, or sees a gap") { wires in
            let (inboxes, subscriptions) = wires.listen()
            let isOver = Signal()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    var number: UInt64 = 0
                    while !isOver.value {
                        number += 1
                        await wires.ends[0].publish(message(number))
                        await Task.yield()
                    }
                }
                try await wires.interrupt()
                isOver.set()
                try await group.waitForAll()
            }
            await wires.ends[0].publish(last)
            for inbox in inboxes { await inbox.wait(for: last) }
            let all = inboxes[0].news
            for (place, inbox) in inboxes.enumerated() where inbox.news != all {
                try require(inbox.hasGap, "end \(place) missed messages and saw no gap")
                try require(isSubsequence(inbox.news, of: all), "end \(place) heard messages twice, or out of order")
            }
            withExtendedLifetime(subscriptions) {}
        },
        Check(description: "who published while cut off is heard, or everybody sees a gap") { wires in
            let (inboxes, subscriptions) = wires.listen()
            let isOver = Signal()
            let count = try await withThrowingTaskGroup(of: UInt64.self) { group in
                group.addTask {
                    var number: UInt64 = 0
                    while !isOver.value {
                        number += 1
                        await wires.ends[wires.ends.count - 1].publish(message(number))
                        await Task.yield()
                    }
                    return number
                }
                try await wires.interrupt()
                isOver.set()
                return try await group.next() ?? 0
            }
            await wires.ends[wires.ends.count - 1].publish(last)
            for (place, inbox) in inboxes.enumerated() {
                await inbox.wait(for: last)
                let heard = inbox.news.count - 1
                try require(heard <= Int(count), "end \(place) heard messages twice")
                try require(heard == Int(count) || inbox.hasGap, "end \(place) missed messages and saw no gap")
            }
            withExtendedLifetime(subscriptions) {}
        },
    ]

    private static let last = message(1, by: 99)

    private static func isSubsequence(_ part: [BusMessage], of whole: [BusMessage]) -> Bool {
        var rest = whole[...]
        return part.allSatisfy { message in
            guard let index = rest.firstIndex(of: message) else { return false }
            rest = rest[(index + 1)...]
            return true
        }
    }
}

/// Says once that something is over.
private final class Signal: Sendable {
    private let state = Mutex(false)

    var value: Bool { state.withLock { $0 } }

    func set() { state.withLock { $0 = true } }
}
