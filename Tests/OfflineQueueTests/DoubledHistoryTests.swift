import Messaging
import MessagingConformance
import Model
import TestSupport
import Testing

private typealias Fixture = QueueFixture

/// Devices, what they have seen, and what the queue has acknowledged that it was told: played against a doubled queue
/// whose storage fails, is replaced, and whose process is killed, by one seed.
private struct DoubledHistory {
    private static let devices: [UInt64] = [1, 2, 3]

    private let first: FaultyOfflineQueue
    private let second: FaultyOfflineQueue
    private let elapsed = ManualElapsed()
    private var queue: DoubledOfflineQueue
    private var random: SeededGenerator
    private var identities: UInt64 = 2
    private var version: UInt64 = 0
    private var seconds: Int64 = 0

    /// For each device what it has to know: the versions whose addition was acknowledged.
    private var owed: [UInt64: [QueueEntry.Key: Int64]] = [:]
    /// All that was ever added for a device, acknowledged or not: what reading from the cursor finds.
    private var truth: [UInt64: [QueueEntry.Key: Int64]] = [:]
    /// What each device knows.
    private var seen: [UInt64: [QueueEntry.Key: Int64]] = [:]
    private var held: [UInt64: QueuePosition] = [:]
    /// Those that were removed for certain, and those of which that was tried: nothing is owed to them.
    private var removed: Set<UInt64> = []
    private var unowed: Set<UInt64> = []

    init(seed: UInt64) {
        first = FaultyOfflineQueue(Self.storage(1), seed: seed)
        second = FaultyOfflineQueue(Self.storage(2), seed: seed &* 31)
        queue = Pair.doubled(first, second, elapsed)
        random = SeededGenerator(seed: seed)
    }

    private static func storage(_ identity: UInt64) -> MemoryOfflineQueue {
        var bounds = QueueBounds()
        bounds.entries = 5
        bounds.remembered = 6
        return MemoryOfflineQueue(identity: Fixture.identity(identity), bounds: bounds)
    }

    mutating func play(steps: Int) async throws {
        for _ in 0..<steps {
            switch Int.random(in: 0..<20, using: &random) {
            case 0...6: await add()
            case 7...9: try await read()
            case 10...11: try await acknowledge()
            case 12...13: plan(first)
            case 14: plan(second)
            case 15: await restart()
            case 16: await replaceOne()
            case 17: await remove()
            default: await pass()
            }
        }
        try await finish()
    }

    private mutating func add() async {
        let device = Self.devices.randomElement(using: &random) ?? 1
        version += 1
        let subject = UInt64.random(in: 1...4, using: &random)
        let entry =
            Bool.random(using: &random)
            ? Fixture.moved(subject, version) : Fixture.event(.restoreReady, subject, at: Int64(version))
        truth[device, default: [:]][entry.key] = entry.version
        do {
            try await queue.add([entry], to: device, at: seconds)
            if !unowed.contains(device) { owed[device, default: [:]][entry.key] = entry.version }
        } catch {
            // Who adds does so again until it succeeds, or fills in from the journal: here it is not owed.
        }
    }

    private mutating func read() async throws {
        let device = Self.devices.randomElement(using: &random) ?? 1
        let delivery = try await queue.read(device, atMost: Int.random(in: 1...8, using: &random))
        learn(delivery, device)
    }

    private mutating func learn(_ delivery: QueueDelivery, _ device: UInt64) {
        if removed.contains(device) {
            // With neither storage at hand a queue says to read from the cursor: that is no news of anything.
            #expect(delivery.entries.isEmpty)
        }
        for entry in delivery.entries {
            #expect(truth[device]?[entry.key] ?? 0 >= entry.version, "\(entry) was never added for device \(device)")
            seen[device, default: [:]][entry.key] = max(seen[device]?[entry.key] ?? 0, entry.version)
        }
        if delivery.readFromCursor { seen[device] = truth[device] }
        held[device] = delivery.position
    }

    private mutating func acknowledge() async throws {
        let device = Self.devices.randomElement(using: &random) ?? 1
        if let position = held[device] { try await queue.acknowledge(position, by: device) }
    }

    private mutating func plan(_ replica: FaultyOfflineQueue) {
        let plans: [FaultyOfflineQueue.Plan] = [
            .init(), .init(), .init(isGone: true), .init(failures: 0.2), .init(lostAnswers: 0.2),
            .init(failures: 0.1, lostAnswers: 0.1),
        ]
        replica.plan = plans.randomElement(using: &random) ?? .init()
    }

    /// The process is killed; another one begins on the storage that there is.
    private mutating func restart() async {
        queue = Pair.doubled(first, second, elapsed)
        await pass()
    }

    /// A storage is lost for good while the process is down, and an empty one takes its place.
    private mutating func replaceOne() async {
        guard Int.random(in: 0..<4, using: &random) == 0 else { return }
        identities += 1
        (Bool.random(using: &random) ? first : second).replace(by: Self.storage(identities))
        // A removal that only this one knew of is lost: the device can't ask any more, and a filling finds it again.
        removed = []
        await restart()
    }

    private mutating func remove() async {
        guard Int.random(in: 0..<20, using: &random) == 0 else { return }
        let device = Self.devices.randomElement(using: &random) ?? 1
        unowed.insert(device)
        owed[device] = nil
        do {
            try await queue.remove([Fixture.device(device)], at: Fixture.time(seconds))
            removed.insert(device)
        } catch {
            // Whether it took place is not known.
        }
    }

    private mutating func pass() async {
        seconds += 1
        elapsed.advance(by: .seconds(Int64.random(in: 0...40, using: &random)))
        // A replica that came back alone may lack removals, until the filling that it asks for.
        if await queue.maintain(at: Fixture.time(seconds)) { removed = [] }
    }

    /// All faults end; every device comes back and reads until nothing is left.
    private mutating func finish() async throws {
        first.plan = .init()
        second.plan = .init()
        for _ in 0..<4 {
            elapsed.advance(by: .seconds(60))
            if await queue.maintain(at: Fixture.time(seconds)) { removed = [] }
        }
        #expect(queue.status.read == 0)
        #expect(queue.status.isWritten == [true, true])
        for device in Self.devices {
            var rounds = 0
            while rounds < 100 {
                rounds += 1
                let delivery = try await queue.read(device, atMost: 3)
                learn(delivery, device)
                guard let position = delivery.position else { break }
                try await queue.acknowledge(position, by: device)
            }
            #expect(rounds < 100, "device \(device) is told the same for ever")
            for (key, version) in owed[device] ?? [:] {
                #expect(seen[device]?[key] ?? 0 >= version, "device \(device) was never told \(key) \(version)")
            }
        }
    }
}

@Suite("Random histories of a doubled queue")
struct DoubledHistoryTests {
    @Test("nothing that it took is lost, nothing goes to another device, and both come back", arguments: 0..<40)
    func histories(block: UInt64) async throws {
        for seed in block * 25..<block * 25 + 25 {
            var history = DoubledHistory(seed: seed)
            try await history.play(steps: 150)
        }
    }
}
