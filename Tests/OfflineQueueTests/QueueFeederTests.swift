import Messaging
import MessagingConformance
import Model
import Notifications
import Synchronization
import TestSupport
import Testing

private typealias Fixture = QueueFixture

@Suite("The feeder of the queue")
struct QueueFeederTests {
    /// Two accounts: devices 1 to 3 of the first, 4 of the second; all known to the queue, with nothing waiting.
    private func world() async throws -> World {
        let world = try World()
        for account in 1...2 as ClosedRange<UInt64> { try await world.addAccount(account) }
        for device in 1...3 as ClosedRange<UInt64> { try await world.addDevice(device, of: 1) }
        try await world.addDevice(4, of: 2)
        try await world.feeder().finish()
        try await world.queue.introduce(1, 2, 3, 4)
        return world
    }

    @Test("adds a change for all who follow the namespace, but for its author and nobody else's")
    func followers() async throws {
        let world = try await world()
        let feeder = world.feeder()
        try await feeder.finish()
        try await world.commit(to: 1, by: 1)
        try await feeder.finish()
        #expect(try await world.moved(1).isEmpty)
        #expect(try await world.moved(2) == [Fixture.moved(1, 1)])
        #expect(try await world.moved(3) == [Fixture.moved(1, 1)])
        #expect(try await world.moved(4).isEmpty)
    }

    @Test("a device whose poll is parked needs no entry")
    func parked() async throws {
        let world = try await world()
        let feeder = world.feeder()
        try await feeder.finish()
        world.parked.withLock { _ = $0.insert(Fixture.device(2)) }
        try await world.commit(to: 1, by: 1)
        try await feeder.finish()
        #expect(try await world.moved(2).isEmpty)
        #expect(try await world.moved(3) == [Fixture.moved(1, 1)])
    }

    @Test("a burst is one addition a device")
    func burst() async throws {
        let world = try await world()
        let feeder = world.feeder()
        try await feeder.finish()
        for _ in 0..<30 { try await world.commit(to: 1, by: 1) }
        #expect(feeder.waitingCount == 1)
        let calls = world.queue.calls
        try await feeder.finish()
        #expect(world.queue.calls == calls + 1)
        #expect(try await world.moved(2) == [Fixture.moved(1, 30)])
    }

    @Test("what was committed and never told is filled in at the next start")
    func killed() async throws {
        let world = try await world()
        try await world.commit(to: 1, by: 1, isTold: false)
        try await world.feeder().finish()
        #expect(try await world.moved(2) == [Fixture.moved(1, 1)])
        // Who acknowledged it is not told again.
        try await world.queue.introduce(2)
        try await world.feeder().finish()
        #expect(try await world.moved(2).isEmpty)
        #expect(try await world.moved(3) == [Fixture.moved(1, 1)])
    }

    @Test("what fell into a gap of the bus is filled in")
    func gap() async throws {
        let world = try await world()
        let feeder = world.feeder()
        try await feeder.finish()
        try await world.commit(to: 2, by: 9)
        try await world.commit(to: 1, by: 1, isTold: false)
        try await feeder.finish()
        #expect(try await world.moved(2).isEmpty)
        feeder.fillIn()
        try await feeder.finish()
        #expect(try await world.moved(2) == [Fixture.moved(1, 1)])
    }

    @Test("pages of devices are all filled in", arguments: [1, 2, 3, 4, 5])
    func pages(size: Int) async throws {
        let world = try await world()
        try await world.commit(to: 1, by: 1, isTold: false)
        try await world.commit(to: 2, by: 9, isTold: false)
        var limits = QueueFeeder.Limits()
        limits.page = size
        limits.batch = 1
        try await world.feeder(limits: limits).finish()
        for device in 1...3 as ClosedRange<UInt64> {
            #expect(try await world.moved(device) == [Fixture.moved(1, 1)])
        }
        #expect(try await world.moved(4) == [Fixture.moved(2, 1)])
    }

    @Test("when the queue fails the news are kept, and told once it is back")
    func failure() async throws {
        let world = try await world()
        let feeder = world.feeder()
        try await feeder.finish()
        try await world.commit(to: 1, by: 1)
        world.queue.plan = .init(isGone: true)
        await #expect(throws: QueueError.self) { try await feeder.round() }
        #expect(!feeder.isIdle)
        try await world.commit(to: 1, by: 2)
        world.queue.plan = .init()
        try await feeder.finish()
        // By now both have made changes, so that each has something to look at.
        for device in 1...3 as ClosedRange<UInt64> {
            #expect(try await world.moved(device) == [Fixture.moved(1, 2)])
        }
    }

    @Test("a filling that fails goes on where it was")
    func fillingFails() async throws {
        let world = try await world()
        try await world.commit(to: 1, by: 1, isTold: false)
        try await world.commit(to: 2, by: 9, isTold: false)
        var limits = QueueFeeder.Limits()
        limits.page = 2
        let feeder = world.feeder(limits: limits)
        try await feeder.round()
        world.queue.plan = .init(isGone: true)
        await #expect(throws: QueueError.self) { try await feeder.round() }
        world.queue.plan = .init()
        let calls = world.queue.calls
        try await feeder.finish()
        #expect(world.queue.calls > calls)
        #expect(try await world.moved(3) == [Fixture.moved(1, 1)])
        #expect(try await world.moved(4) == [Fixture.moved(2, 1)])
    }

    @Test("a revoked device's queue ends, and the account's other devices are told of it")
    func revoked() async throws {
        let world = try await world()
        let feeder = world.feeder()
        try await feeder.finish()
        try await world.commit(to: 1, by: 1)
        try await feeder.finish()
        // The devices know of each other.
        try await world.queue.introduce(1, 3, 4)
        world.clock.advance(by: .seconds(5))
        try await world.revoke(2)
        try await feeder.finish()
        #expect(try await world.queue.read(2) == .nothing)
        try await world.queue.add([Fixture.moved(1, 9)], to: 2)
        #expect(try await world.queue.read(2) == .nothing)
        for device in [1, 3] as [UInt64] {
            let kinds = try await world.queue.read(device).entries.map(\.key.kind)
            #expect(kinds.contains("device_list_changed"), "device \(device): \(kinds)")
        }
        #expect(try await world.queue.read(4).entries.isEmpty)
    }

    @Test("a device that another process revoked loses its queue when all are gone through")
    func revokedElsewhere() async throws {
        let world = try await world()
        try await world.commit(to: 1, by: 1)
        try await world.feeder().finish()
        #expect(try await !world.queue.read(2).entries.isEmpty)
        try await world.revoke(2, isTold: false)
        try await world.feeder().finish()
        #expect(try await world.queue.read(2) == .nothing)
        #expect(try await world.moved(3) == [Fixture.moved(1, 1)])
    }

    @Test("the service feeds until its task is cancelled", .timeLimit(.minutes(1)))
    func service() async throws {
        let world = try await world()
        let feeder = world.feeder()
        await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await feeder.run() }
            do {
                try await world.commit(to: 1, by: 1)
                while try await world.moved(2).isEmpty { await Task.yield() }
            } catch { Issue.record(error) }
            group.cancelAll()
        }
        #expect(try await world.moved(3) == [Fixture.moved(1, 1)])
    }
}
