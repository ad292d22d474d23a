import Logging
import Messaging
import MessagingConformance
import MessagingSQL
import MetadataSQLite
import Model
import Notifications
import Synchronization
import TestSupport
import Testing

private typealias Fixture = QueueFixture

/// The whole path by one seed: commits, a bus that loses messages, a feeder that is killed, two SQL queues behind faults,
/// and devices that come and go.
private final class Journey {
    private static let devices: [UInt64: UInt64] = [1: 1, 2: 1, 3: 2, 4: 2, 5: 3]

    private let world: World
    private let first: FaultyOfflineQueue
    private let second: FaultyOfflineQueue
    private let elapsed = ManualElapsed()
    private var queue: DoubledOfflineQueue
    private var feeder: QueueFeeder
    private var random: SeededGenerator
    private var heads: [UInt64: UInt64] = [:]
    private var seen: [UInt64: UInt64] = [:]
    private var revoked: Set<UInt64> = []

    init(seed: UInt64) async throws {
        let world = try World()
        self.world = world
        first = FaultyOfflineQueue(try await Self.storage(world, "first.db", 1), seed: seed)
        second = FaultyOfflineQueue(try await Self.storage(world, "second.db", 2), seed: seed + 1)
        queue = Pair.doubled(first, second, elapsed)
        feeder = Self.feeder(world, queue)
        random = SeededGenerator(seed: seed)
        for account in 1...3 as ClosedRange<UInt64> { try await world.addAccount(account) }
        for (device, account) in Self.devices { try await world.addDevice(device, of: account) }
    }

    private static func storage(_ world: World, _ name: String, _ identity: UInt64) async throws -> SQLOfflineQueue {
        let path = world.directory.appending(name)
        return try await SQLOfflineQueue.open(
            try SQLiteMetadataDatabase(path: path, schema: QueueSchema.history), identity: Fixture.identity(identity))
    }

    private static func feeder(_ world: World, _ queue: DoubledOfflineQueue) -> QueueFeeder {
        QueueFeeder(
            bus: world.bus, database: world.database, queue: queue, clock: world.clock, isParked: { _ in false },
            pause: Pauses.none, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private var desk: QueueDesk { QueueDesk(queue: queue, database: world.database, clock: world.clock) }

    func play(steps: Int) async throws {
        for _ in 0..<steps {
            switch Int.random(in: 0..<16, using: &random) {
            case 0...5: try await commit()
            case 6...8: try? await feeder.round()
            case 9...10: try await comeBack(Self.devices.keys.sorted().randomElement(using: &random) ?? 1)
            case 11: first.plan = plan()
            case 12: second.plan = plan()
            case 13: await restart()
            case 14: await pass()
            default: try await revoke()
            }
        }
        try await finish()
    }

    private func plan() -> FaultyOfflineQueue.Plan {
        [.init(), .init(isGone: true), .init(failures: 0.3), .init(lostAnswers: 0.3)].randomElement(using: &random)
            ?? .init()
    }

    private func commit() async throws {
        let account = UInt64.random(in: 1...3, using: &random)
        // Every fourth is never told: the process died between the commit and the bus.
        let isTold = Int.random(in: 0..<4, using: &random) > 0
        heads[account] = try await world.commit(to: account, by: 99, isTold: isTold).number
        if !isTold { await restart() }
    }

    private func restart() async {
        queue = Pair.doubled(first, second, elapsed)
        feeder = Self.feeder(world, queue)
        await pass()
    }

    private func pass() async {
        elapsed.advance(by: .seconds(20))
        world.clock.advance(by: .seconds(20))
        if await queue.maintain(at: world.clock.now()) { feeder.fillIn() }
    }

    /// A device looks at what it is told, and only at that.
    private func comeBack(_ device: UInt64) async throws {
        let account = Self.devices[device] ?? 0
        if revoked.contains(device) {
            await #expect(throws: QueueError(.revoked, "")) { try await desk.read(Fixture.device(device)) }
            return
        }
        let delivery = try await desk.read(Fixture.device(device))
        for case .moved(let cursor) in delivery.entries {
            #expect(cursor.namespace == Fixture.namespace(account), "device \(device) is told of another account")
            seen[device] = max(seen[device] ?? 0, cursor.revision.number)
        }
        #expect(seen[device] ?? 0 >= heads[account] ?? 0, "device \(device) is not at the head")
        if let position = delivery.position, Bool.random(using: &random) {
            try? await desk.acknowledge(position, by: Fixture.device(device))
        }
    }

    private func revoke() async throws {
        guard Int.random(in: 0..<8, using: &random) == 0, revoked.isEmpty else { return }
        try await world.revoke(2, isTold: Bool.random(using: &random))
        revoked.insert(2)
    }

    /// All is well again: then the queue alone, without the journal, tells every device of its head.
    private func finish() async throws {
        (first.plan, second.plan) = (.init(), .init())
        for _ in 0..<4 { await pass() }
        feeder.fillIn()
        try await feeder.finish()
        for (device, account) in Self.devices.sorted(by: { $0.key < $1.key }) {
            for replica in [first, second] {
                let delivery = try await replica.read(device)
                if revoked.contains(device) {
                    #expect(delivery == .nothing)
                } else {
                    let told = delivery.entries.filter { $0.key.kind.isEmpty }.map { UInt64($0.version) }.max()
                    #expect(max(seen[device] ?? 0, told ?? 0) >= heads[account] ?? 0, "device \(device)")
                }
            }
            try await comeBack(device)
        }
        try await queue.close()
    }
}

@Suite("From a commit to a device that was away")
struct EndToEndTests {
    @Test("every device that comes back ends at the head of its own account", arguments: 1...24 as ClosedRange<UInt64>)
    func journeys(seed: UInt64) async throws {
        try await Journey(seed: seed).play(steps: 120)
    }
}
