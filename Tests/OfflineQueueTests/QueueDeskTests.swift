import Messaging
import MessagingConformance
import Metadata
import Model
import Notifications
import TestSupport
import Testing

private typealias Fixture = QueueFixture

@Suite("What a device is told when it comes back")
struct QueueDeskTests {
    private func world() async throws -> World {
        let world = try World()
        for account in 1...2 as ClosedRange<UInt64> { try await world.addAccount(account) }
        for device in 1...2 as ClosedRange<UInt64> { try await world.addDevice(device, of: 1) }
        try await world.addDevice(3, of: 2)
        for device in 1...3 as ClosedRange<UInt64> { try await settle(device, world) }
        return world
    }

    /// Lets a device read all that there is, and acknowledge it.
    private func settle(_ device: UInt64, _ world: World) async throws {
        if let position = try await world.desk.read(Fixture.device(device)).position {
            try await world.desk.acknowledge(position, by: Fixture.device(device))
        }
    }

    @Test("what nobody told the queue is found in the journal, and told until it is acknowledged")
    func journal() async throws {
        let world = try await world()
        try await world.commit(to: 1, by: 1, isTold: false)
        for _ in 0..<2 {
            #expect(try await world.desk.read(Fixture.device(2)).entries == [Fixture.moved(1, 1)])
        }
        try await settle(2, world)
        #expect(try await world.desk.read(Fixture.device(2)) == .nothing)
        try await world.commit(to: 1, by: 1, isTold: false)
        #expect(try await world.desk.read(Fixture.device(2)).entries == [Fixture.moved(1, 2)])
        #expect(try await world.desk.read(Fixture.device(3)) == .nothing)
    }

    @Test("a device is told where the heads are, even when the queue marks it")
    func marked() async throws {
        let world = try await world()
        try await world.commit(to: 1, by: 1, isTold: false)
        try await world.addDevice(9, of: 1)
        let delivery = try await world.desk.read(Fixture.device(9))
        #expect(delivery.readFromCursor)
        #expect(delivery.entries.contains(Fixture.moved(1, 1)))
        #expect(delivery.position != nil)
    }

    @Test("a queue that fails is no reason not to answer: the device reads from its cursor")
    func failing() async throws {
        let world = try await world()
        try await world.commit(to: 1, by: 1)
        world.queue.plan = .init(isGone: true)
        let delivery = try await world.desk.read(Fixture.device(2))
        #expect(delivery.readFromCursor)
        #expect(delivery.position == nil)
        #expect(delivery.entries.contains(Fixture.moved(1, 1)))
    }

    @Test("a revoked device is refused, also when nobody told the queue, and so is one that there never was")
    func revoked() async throws {
        let world = try await world()
        try await world.commit(to: 1, by: 1)
        try await world.revoke(2, isTold: false)
        await #expect(throws: QueueError(.revoked, "")) { try await world.desk.read(Fixture.device(2)) }
        await #expect(throws: QueueError(.unknownDevice, "")) { try await world.desk.read(Fixture.device(77)) }
    }

    @Test("a login is told to the devices that were there, not to the new one")
    func login() async throws {
        let world = try await world()
        world.clock.advance(by: .seconds(60))
        try await world.addDevice(8, of: 1)
        let subject = EventSubjectID(high: 0xAC, low: 1)
        let event = AccountEvent(.deviceListChanged, subject, at: world.clock.now())
        #expect(try await world.desk.read(Fixture.device(1)).entries == [.event(event)])
        let own = try await world.desk.read(Fixture.device(8)).entries
        #expect(!own.contains(.event(event)))
        #expect(try await world.desk.read(Fixture.device(3)) == .nothing)
        try await settle(1, world)
        #expect(try await world.desk.read(Fixture.device(1)) == .nothing)
    }

    @Test("an event is told to all devices of the account, but for the author and the revoked ones")
    func raise() async throws {
        let world = try await world()
        try await world.addDevice(5, of: 1)
        try await world.revoke(5)
        for device in 1...2 as ClosedRange<UInt64> { try await settle(device, world) }
        let event = AccountEvent(.restoreReady, EventSubjectID(high: 1, low: 1), at: world.clock.now())
        for _ in 0..<2 { try await world.desk.raise(event, for: World.account(1), by: Fixture.device(1)) }
        #expect(try await world.queue.read(2).entries == [.event(event)])
        #expect(try await world.queue.read(1).entries.isEmpty)
        #expect(try await world.queue.read(3).entries.isEmpty)
        #expect(try await world.queue.read(5).entries.isEmpty)
        world.queue.plan = .init(isGone: true)
        await #expect(throws: QueueError.self) { try await world.desk.raise(event, for: World.account(1)) }
    }
}
