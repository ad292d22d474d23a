import BusConformance
import Dispatch
import Messaging
import Model
import TestSupport
import Testing

@testable import MessagingLocal

@Suite("Another process's end of the bus over a socket", .timeLimit(.minutes(1)))
struct SocketChangeBusTests {
    private func message(_ number: UInt64) -> BusMessage { BusConformance.message(number) }

    @Test("lets a receiver that has heard nothing yet see a gap with the first connection")
    func first() async throws {
        let wires = try SocketWires()
        await wires.stop()
        let (inbox, connections) = (BusInbox(), Connections())
        let link = try SocketChangeBus(
            path: wires.path, limits: wires.limits, generator: SeededGenerator(seed: 1), report: connections.note)
        let subscription = link.subscribe(inbox.receive)
        // Nobody listens yet, so what happens now is missed.
        wires.bus.tell(message(1))
        try wires.start()
        await connections.wait(for: 1)
        #expect(inbox.hasGap)
        wires.bus.tell(message(2))
        await inbox.wait(for: message(2))
        #expect(inbox.news == [message(2)])
        await link.close()
        await wires.stop()
        withExtendedLifetime(subscription) {}
    }

    @Test("comes back when the server does, and every receiver sees the gap before the next news")
    func back() async throws {
        let wires = try SocketWires()
        let link = try await wires.connect()
        let inbox = BusInbox()
        let subscription = link.subscribe(inbox.receive)
        wires.bus.tell(message(1))
        await inbox.wait(for: message(1))
        for round in 2...6 as ClosedRange<UInt64> {
            await wires.stop()
            wires.bus.tell(message(100 + round))
            try wires.start()
            await wires.waitForConnections(Int(round))
            let before = inbox.events
            #expect(before.last?.message == .resumed)
            #expect(BusInbox.hasGap(Array(before.suffix(2))))
            wires.bus.tell(message(round))
            await inbox.wait(for: message(round))
        }
        #expect(inbox.news == (1...6).map { message($0) })
        // One for each time; how often the attempts failed meanwhile is nobody's concern.
        #expect(wires.losses == [.closed, .closed, .closed, .closed, .closed])
        await link.close()
        await wires.stop()
        withExtendedLifetime(subscription) {}
    }

    @Test("whose receiver dawdles is cut off, comes back, and sees a gap")
    func slow() async throws {
        var limits = SocketWires.quick
        limits.backlog = 4096
        let wires = try SocketWires(limits: limits)
        let link = try await wires.connect()
        let inbox = BusInbox()
        let gate = DispatchSemaphore(value: 0)
        let subscription = link.subscribe { event in
            // It blocks the bus's thread, which it must not do.
            if event.message == BusConformance.message(1) { gate.wait() }
            inbox.receive(event)
        }
        wires.bus.tell(message(1))
        var published: UInt64 = 1
        while wires.peerCount > 0 {
            published += 1
            wires.bus.tell(message(published))
            if published % 64 == 0 { await Task.yield() }
        }
        gate.signal()
        await wires.waitForConnections(2)
        wires.bus.tell(message(published + 1))
        await inbox.wait(for: message(published + 1))
        #expect(inbox.hasGap)
        #expect(inbox.news.count < Int(published))
        await link.close()
        await wires.stop()
        withExtendedLifetime(subscription) {}
    }

    @Test("publishes later what was published without a server")
    func later() async throws {
        let wires = try SocketWires()
        let link = try await wires.connect()
        await wires.stop()
        await link.publish(message(1))
        let inbox = BusInbox()
        let subscription = wires.bus.subscribe(inbox.receive)
        try wires.start()
        await inbox.wait(for: message(1))
        await link.close()
        await wires.stop()
        withExtendedLifetime(subscription) {}
    }

    @Test("says that messages may be lost when the server goes without acknowledging them")
    func unacknowledged() async throws {
        let directory = TemporaryDirectory()
        let server = try RawServer(directory.appending("bus.sock"))
        let link = try SocketChangeBus(
            path: directory.appending("bus.sock"), limits: SocketWires.quick, generator: SeededGenerator(seed: 1))
        let first = try await server.accept()
        first.send(.hello(version: 1))
        async let published: Void = link.publish(message(1))
        #expect(await first.frames(atMost: 2) == [.hello(version: 1), .publish(message(1))])
        first.hangUp()
        // It does not fail, and does not wait for ever.
        await published
        let second = try await server.accept()
        second.send(.hello(version: 1))
        #expect(await second.frames(atMost: 2) == [.hello(version: 1), .lost])
        await link.close()
    }

    @Test("gives up a server that does not greet")
    func mute() async throws {
        let directory = TemporaryDirectory()
        // The system connects to it, although it takes no connection.
        let server = try RawServer(directory.appending("bus.sock"))
        var limits = SocketWires.quick
        limits.patience = .milliseconds(10)
        let connections = Connections()
        let link = try SocketChangeBus(
            path: directory.appending("bus.sock"), limits: limits, generator: SeededGenerator(seed: 1),
            report: connections.note)
        await connections.waitForLosses(1)
        #expect(connections.losses == [.silent])
        await link.close()
        withExtendedLifetime(server) {}
    }

    @Test("gives up a server that does not acknowledge what is published")
    func deaf() async throws {
        let directory = TemporaryDirectory()
        let server = try RawServer(directory.appending("bus.sock"))
        var limits = SocketWires.quick
        limits.patience = .seconds(5)
        let connections = Connections()
        let link = try SocketChangeBus(
            path: directory.appending("bus.sock"), limits: limits, generator: SeededGenerator(seed: 1),
            report: connections.note)
        let deaf = try await server.accept()
        deaf.send(.hello(version: 1))
        await connections.wait(for: 1)
        await link.publish(message(1))
        await connections.waitForLosses(1)
        #expect(connections.losses == [.silent])
        #expect(await deaf.everything() == [.hello(version: 1), .publish(message(1))])
        await link.close()
    }

    @Test(
        "hangs up on a server that does not speak its language",
        arguments: [
            Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8), BusFrame.hello(version: 9).encoded,
            BusFrame.hello(version: 1).encoded + BusFrame.acknowledged.encoded,
            BusFrame.hello(version: 1).encoded + BusFrame.lost.encoded, [0, 0, 1, 0],
        ] as [[UInt8]])
    func garbage(bytes: [UInt8]) async throws {
        let directory = TemporaryDirectory()
        let server = try RawServer(directory.appending("bus.sock"))
        let link = try SocketChangeBus(
            path: directory.appending("bus.sock"), limits: SocketWires.quick, generator: SeededGenerator(seed: 1))
        let first = try await server.accept()
        first.send(bytes: bytes)
        #expect(await first.everything() == [.hello(version: 1)])
        let second = try await server.accept()
        second.send(.hello(version: 1))
        #expect(await second.frames(atMost: 1) == [.hello(version: 1)])
        await link.close()
    }

    @Test("hands on a gap in the server's own numbers, also to a receiver that heard nothing before")
    func serverGap() async throws {
        let directory = TemporaryDirectory()
        let server = try RawServer(directory.appending("bus.sock"))
        let connections = Connections()
        let link = try SocketChangeBus(
            path: directory.appending("bus.sock"), limits: SocketWires.quick, generator: SeededGenerator(seed: 1),
            report: connections.note)
        let peer = try await server.accept()
        peer.send(.hello(version: 1), .event(BusEvent(sequence: 41, message: message(1))))
        await connections.wait(for: 1)
        let inbox = BusInbox()
        let subscription = link.subscribe(inbox.receive)
        peer.send(.event(BusEvent(sequence: 44, message: message(2))))
        await inbox.wait(for: message(2))
        #expect(inbox.hasGap)
        peer.send(.event(BusEvent(sequence: 45, message: message(3))))
        await inbox.wait(for: message(3))
        #expect(!BusInbox.hasGap(Array(inbox.events.suffix(2))))
        await link.close()
        withExtendedLifetime(subscription) {}
    }

    @Test("that is closed publishes nothing more, and makes nobody wait")
    func closed() async throws {
        let wires = try SocketWires()
        let link = try await wires.connect()
        await link.close()
        await link.publish(message(1))
        while wires.peerCount > 0 { await Task.yield() }
        await link.close()
        await wires.stop()
    }

    @Test("goes with its last reference")
    func lifetime() async throws {
        let wires = try SocketWires()
        do {
            let link = try await wires.connect()
            #expect(wires.peerCount == 1)
            withExtendedLifetime(link) {}
        }
        while wires.peerCount > 0 { await Task.yield() }
        await wires.stop()
    }
}

@Suite("A single announcement over the bus", .timeLimit(.minutes(1)))
struct BusAnnouncementTests {
    @Test("has reached everybody's bus when it returns")
    func told() async throws {
        let wires = try SocketWires()
        let inbox = BusInbox()
        let subscription = wires.bus.subscribe(inbox.receive)
        #expect(try await BusAnnouncement(path: wires.path)(.revoked(DeviceID(high: 1, low: 2))))
        #expect(inbox.news == [.revoked(DeviceID(high: 1, low: 2))])
        await wires.stop()
        withExtendedLifetime(subscription) {}
    }

    @Test("says that no server runs")
    func nobody() async throws {
        let wires = try SocketWires()
        await wires.stop()
        #expect(try await !BusAnnouncement(path: wires.path)(.resumed))
        LocalSocket.hangUp(try LocalSocket.listen(at: wires.path, backlog: 1))
        #expect(try await !BusAnnouncement(path: wires.path)(.resumed))
    }

    @Test("fails when the server does not take it")
    func refused() async throws {
        let directory = TemporaryDirectory()
        let server = try RawServer(directory.appending("bus.sock"))
        let patient = BusAnnouncement(path: directory.appending("bus.sock"), patience: .milliseconds(20))
        await #expect(throws: BusSocketError(.silent, "")) { try await patient(.resumed) }
        #expect(await (try server.accept()).everything() == [.hello(version: 1), .publish(.resumed)])
        let announcement = BusAnnouncement(path: directory.appending("bus.sock"))
        async let told = announcement(.resumed)
        let peer = try await server.accept()
        peer.send(.hello(version: 2))
        do {
            Issue.record("it was told: \(try await told)")
        } catch {
            #expect(error as? BusSocketError == BusSocketError(.version, ""))
        }
    }
}
