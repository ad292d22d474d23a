import Logging
import Messaging
import MessagingConformance
import Model
import Notifications
import TestSupport
import Testing

private typealias Fixture = QueueFixture

@Suite("The upkeep of the queue")
struct QueueUpkeepTests {
    private let pair = Pair()

    private func upkeep(_ world: World, _ feeder: QueueFeeder) -> QueueUpkeep {
        QueueUpkeep(
            queue: pair.queue, feeder: feeder, clock: world.clock, pause: Pauses.none,
            log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    @Test("it brings back what was out, and has the journal filled in when nobody vouched for it")
    func bringsBack() async throws {
        let world = try World()
        let feeder = world.feeder()
        try await feeder.finish()
        let upkeep = upkeep(world, feeder)
        await upkeep.round()
        #expect(!feeder.isIdle)
        try await feeder.finish()
        await upkeep.round()
        #expect(pair.queue.status.isWritten == [true, true])
        pair.first.plan = .init(isGone: true)
        try await pair.queue.add([Fixture.moved(1, 1)], to: 1)
        #expect(pair.queue.status.isWritten == [false, true])
        pair.first.plan = .init()
        pair.elapsed.advance(by: .seconds(5))
        await upkeep.round()
        #expect(pair.queue.status.isWritten == [true, true])
        #expect(feeder.isIdle)
    }

    @Test("it measures now and then, not every time")
    func measures() async throws {
        let world = try World()
        let upkeep = upkeep(world, world.feeder())
        for _ in 0..<2 { await upkeep.round() }
        try await pair.queue.add([Fixture.moved(1, 1)], to: 1)
        await upkeep.round()
        #expect(upkeep.depth.entries == 0)
        world.clock.advance(by: .seconds(31))
        await upkeep.round()
        #expect(upkeep.depth == QueueDepth(entries: 1, devices: 1, marked: 1))
    }

    @Test("what has waited for a month makes its device read from its cursor")
    func expiry() async throws {
        let world = try World()
        let upkeep = upkeep(world, world.feeder())
        for _ in 0..<2 { await upkeep.round() }
        try await pair.queue.introduce(1, 2)
        try await pair.queue.add([QueueAddition(Fixture.device(1), Fixture.moved(1, 1))], at: world.clock.now())
        world.clock.advance(by: .seconds(29 * 86_400))
        await upkeep.round()
        #expect(try await pair.queue.read(1).entries.count == 1)
        world.clock.advance(by: .seconds(2 * 86_400))
        await upkeep.round()
        #expect(try await pair.queue.read(1).readFromCursor)
        #expect(try await pair.queue.read(1).entries.isEmpty)
        #expect(try await pair.queue.read(2) == .nothing)
    }
}
