import BusConformance
import Glibc
import Messaging
import MessagingRedis
import RedisSupport
import TestSupport
import Testing

@Suite(.serialized, .timeLimit(.minutes(1))) struct RedisChangeBusTests {
    private typealias Sample = BusConformance

    @Test("the bus over Redis keeps the contract", arguments: BusConformance.checks)
    func contract(check: BusConformance.Check) async throws {
        try await check.run { try await RedisWires.open() }
    }

    @Test func `while Redis is away a process hears its own, and all see a gap when it is back`() async throws {
        let wires = try await RedisWires()
        let inboxes = wires.buses.map { _ in BusInbox() }
        let subscriptions = zip(wires.buses, inboxes).map { $0.subscribe($1.receive) }
        await wires.server.crash()
        try await Patience.until { wires.losses(of: 0).count == 1 && wires.losses(of: 1).count == 1 }
        for number in 1...20 { await wires.buses[0].publish(Sample.message(UInt64(number))) }
        #expect(inboxes[0].news.last == Sample.message(20))
        try await wires.server.start()
        await wires.waitForConnections(2)
        await wires.buses[0].publish(Sample.message(21))
        for inbox in inboxes { await inbox.wait(for: Sample.message(21)) }
        #expect(inboxes[0].news == (1...21).map { Sample.message(UInt64($0)) })
        #expect(inboxes[1].hasGap)
        withExtendedLifetime(subscriptions) {}
        await wires.close()
    }

    @Test func `more than may wait becomes a gap at the others`() async throws {
        let wires = try await RedisWires(unpublished: 8)
        let inbox = BusInbox()
        let subscription = wires.buses[1].subscribe(inbox.receive)
        await wires.server.crash()
        try await Patience.until { wires.losses(of: 0).count == 1 && wires.losses(of: 1).count == 1 }
        for number in 1...100 { await wires.buses[0].publish(Sample.message(UInt64(number))) }
        try await wires.server.start()
        await wires.waitForConnections(2)
        try await wires.waitForRoom()
        await wires.buses[0].publish(Sample.message(101))
        await inbox.wait(for: Sample.message(101))
        #expect(inbox.hasGap)
        #expect(inbox.news.count < 101)
        withExtendedLifetime(subscription) {}
        await wires.close()
    }

    @Test func `a frozen server holds nobody for long, and is found out by who only listens`() async throws {
        let wires = try await RedisWires()
        let inbox = BusInbox()
        let subscription = wires.buses[0].subscribe(inbox.receive)
        wires.server.signal(SIGSTOP)
        let begin = ContinuousClock.now
        await wires.buses[0].publish(Sample.message(1))
        #expect(begin.duration(to: .now) < .seconds(2))
        // What was under way when the server froze reaches the own receivers all the same.
        await inbox.wait(for: Sample.message(1))
        try await Patience.until { wires.losses(of: 1).count == 1 }
        wires.server.signal(SIGCONT)
        await wires.waitForConnections(2)
        await wires.buses[1].publish(Sample.message(2))
        await inbox.wait(for: Sample.message(2))
        #expect(inbox.news.count { $0 == Sample.message(1) } == 1)
        withExtendedLifetime(subscription) {}
        await wires.close()
    }

    @Test func `a listener that was cut off alone is connected anew, with a gap`() async throws {
        let wires = try await RedisWires()
        let inbox = BusInbox()
        let subscription = wires.buses[0].subscribe(inbox.receive)
        await wires.buses[1].publish(Sample.message(1))
        await inbox.wait(for: Sample.message(1))
        try wires.server.call(["CLIENT", "KILL", "TYPE", "pubsub"])
        await wires.waitForConnections(2)
        await wires.buses[1].publish(Sample.message(2))
        await inbox.wait(for: Sample.message(2))
        #expect(inbox.hasGap)
        withExtendedLifetime(subscription) {}
        await wires.close()
    }

    @Test func `an idle bus stays connected`() async throws {
        let wires = try await RedisWires()
        // Three times as long as the silence that ends a connection.
        await Patience.aMoment(1800)
        #expect(wires.losses(of: 0).isEmpty)
        #expect(wires.connectionCount(of: 0) == 1)
        await wires.close()
    }

    @Test func `what is no message of the bus is a loss`() async throws {
        let wires = try await RedisWires()
        try wires.server.call(["PUBLISH", "cairn:bus", "hello"])
        await wires.waitForConnections(2)
        #expect(wires.losses(of: 0).map(\.code) == [.malformed])
        await wires.close()
    }

    @Test func `a wrong password is told once`() async throws {
        let server = try await RedisServer.start("--requirepass", "right")
        let connections = RedisWires.Connections()
        let bus = try RedisChangeBus(
            server.endpoint, generator: SeededGenerator(seed: 1), report: connections.note)
        try await Patience.until { !connections.losses.isEmpty }
        await Patience.aMoment(200)
        #expect(connections.losses.map(\.code) == [.refused])
        await bus.publish(Sample.message(1))
        await bus.close()
        await bus.publish(Sample.message(2))
        await server.crash()
    }
}
