import Model
import Notifications
import Testing

extension PollConformance {
    private static let fewPlaces: PollLimits = {
        var limits = PollLimits()
        limits.capacity = 3
        return limits
    }()

    static let crowdChecks: [Check] = [
        Check("more polls than there is room for are sent away for a while", limits: fewPlaces) { world in
            var polls: [any OpenPoll] = []
            for number in 1...3 {
                polls.append(try await world.parked(try await world.device(1), [1: 0], of: number))
            }
            let reply = try await world.poll(try await world.device(1), [1: 0]).reply()
            guard case .refused(let seconds) = reply else {
                Issue.record("it was told \(reply)")
                return
            }
            #expect((1...600).contains(seconds))
            // Those who are in are served as before.
            await world.commit(1)
            for poll in polls { #expect(try await poll.reply() == PollWorld.moved(1, to: 1)) }
        },
        Check("each commit wakes the devices of its account and no others") { world in
            let (accounts, each) = (20 as UInt64, 3)
            var polls: [UInt64: [any OpenPoll]] = [:]
            for account in 1...accounts {
                for _ in 0..<each {
                    polls[account, default: []].append(
                        try await world.poll(try await world.device(account), [account: 0]))
                }
            }
            await world.waitUntil { $0.parked == 60 && $0.unread == 0 }
            for account in 1...accounts {
                await world.commit(account)
                for poll in polls[account]! { #expect(try await poll.reply() == PollWorld.moved(account, to: 1)) }
                await world.waitUntil { $0.parked == each * Int(accounts - account) }
            }
        },
        Check("commits while polls come and go are all seen") { world in
            let devices = try await (0..<6).asyncMap { _ in try await world.device(1, 2) }
            let last = 30 as UInt64
            try await withThrowingTaskGroup(of: Void.self) { group in
                for device in devices { group.addTask { try await follow(device, to: last, in: world) } }
                for name in 1...2 as ClosedRange<UInt64> {
                    group.addTask { for _ in 1...last { await world.commit(name) } }
                }
                try await group.waitForAll()
            }
            await world.waitUntil { $0.parked == 0 }
        },
    ]

    /// Polls as a device does until both namespaces are at their last revision. The time is never moved on: a lost wake-up
    /// would keep it waiting for ever.
    private static func follow(_ device: DeviceID, to last: UInt64, in world: PollWorld) async throws {
        var seen: [UInt64: UInt64] = [1: 0, 2: 0]
        while seen.values.contains(where: { $0 < last }) {
            guard case .moved(let moved) = try await world.poll(device, seen).reply() else {
                Issue.record("a poll ended without news")
                return
            }
            for entry in moved {
                let name = entry.namespace.low
                #expect(entry.revision.number > seen[name]!, "a poll is not told what its device has seen")
                seen[name] = entry.revision.number
            }
        }
    }
}

extension Range<Int> {
    /// Calls an asynchronous function for each number, one after the other.
    fileprivate func asyncMap<Value>(_ body: (Int) async throws -> Value) async rethrows -> [Value] {
        var values: [Value] = []
        for number in self { values.append(try await body(number)) }
        return values
    }
}
