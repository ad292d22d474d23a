import BusConformance
import Foundation
import Messaging
import Model
import TestSupport
import Testing

@testable import MessagingLocal

@Suite("The server's end of the bus over a socket", .timeLimit(.minutes(1)))
struct SocketBusServerTests {
    private func message(_ number: UInt64) -> BusMessage { BusConformance.message(number) }

    @Test("greets, forwards what is published, and acknowledges what it takes")
    func conversation() async throws {
        let wires = try SocketWires()
        let peer = try RawPeer(wires.path)
        peer.send(.hello(version: 1), .publish(message(1)))
        #expect(
            await peer.frames(atMost: 3)
                == [.hello(version: 1), .event(BusEvent(sequence: 1, message: message(1))), .acknowledged])
        wires.bus.tell(message(2))
        #expect(await peer.frames(atMost: 1) == [.event(BusEvent(sequence: 2, message: message(2)))])
        await wires.stop()
        #expect(await peer.everything() == [])
    }

    @Test("lets everybody see a gap when a process says that it lost messages")
    func lost() async throws {
        let wires = try SocketWires()
        let inbox = BusInbox()
        let subscription = wires.bus.subscribe(inbox.receive)
        let peer = try RawPeer(wires.path)
        peer.send(.hello(version: 1), .lost)
        await inbox.wait { $0.count == 2 }
        #expect(inbox.hasGap)
        #expect(inbox.news == [])
        await wires.stop()
        withExtendedLifetime(subscription) {}
    }

    @Test(
        "hangs up on who does not speak its language, and the others notice nothing",
        arguments: [
            Array("GET / HTTP/1.1\r\n\r\n".utf8), [0, 0, 0, 0], [255, 255, 255, 255],
            BusFrame.publish(.resumed).encoded, BusFrame.hello(version: 2).encoded,
            BusFrame.hello(version: 1).encoded + BusFrame.acknowledged.encoded,
            BusFrame.hello(version: 1).encoded + BusFrame.hello(version: 1).encoded,
            BusFrame.hello(version: 1).encoded + [0, 0, 0, 2, 3, 9],
        ] as [[UInt8]])
    func garbage(bytes: [UInt8]) async throws {
        let wires = try SocketWires()
        let link = try await wires.connect()
        let inbox = BusInbox()
        let subscription = link.subscribe(inbox.receive)
        let peer = try RawPeer(wires.path)
        peer.send(bytes: bytes)
        #expect(await peer.everything() == [.hello(version: 1)])
        wires.bus.tell(message(1))
        await inbox.wait(for: message(1))
        #expect(!inbox.hasGap)
        #expect(wires.connectionCount == 1)
        await link.close()
        await wires.stop()
        withExtendedLifetime(subscription) {}
    }

    @Test("takes a frame that comes byte by byte, and forgets one that never ends")
    func torn() async throws {
        let wires = try SocketWires()
        let inbox = BusInbox()
        let subscription = wires.bus.subscribe(inbox.receive)
        let peer = try RawPeer(wires.path)
        let frames: [BusFrame] = [.hello(version: 1), .publish(message(1))]
        for byte in frames.flatMap(\.encoded) { peer.send(bytes: [byte]) }
        await inbox.wait(for: message(1))
        peer.send(bytes: Array(BusFrame.publish(message(2)).encoded.dropLast()))
        peer.hangUp()
        while wires.peerCount > 0 { await Task.yield() }
        #expect(inbox.news == [message(1)])
        await wires.stop()
        withExtendedLifetime(subscription) {}
    }

    @Test("cuts off a process that does not read, and never waits for it")
    func slow() async throws {
        var limits = SocketWires.quick
        limits.backlog = 4096
        let wires = try SocketWires(limits: limits)
        let peer = try RawPeer(wires.path)
        peer.send(.hello(version: 1))
        _ = await peer.frames(atMost: 1)
        #expect(wires.peerCount == 1)
        var published: UInt64 = 0
        while wires.peerCount > 0 {
            published += 1
            wires.bus.tell(message(published))
            if published % 64 == 0 { await Task.yield() }
        }
        let heard = await peer.everything()
        #expect(heard.count < Int(published))
        #expect(heard == (0..<UInt64(heard.count)).map { .event(BusEvent(sequence: $0 + 1, message: message($0 + 1))) })
        await wires.stop()
    }

    @Test("serves as many processes as it may, and one more when one has gone")
    func bound() async throws {
        var limits = SocketWires.quick
        limits.peers = 2
        let wires = try SocketWires(limits: limits)
        let peers = try (0..<2).map { _ in try RawPeer(wires.path) }
        for peer in peers { #expect(await peer.frames(atMost: 1) == [.hello(version: 1)]) }
        #expect(await (try RawPeer(wires.path)).everything() == [])
        peers[0].hangUp()
        while wires.peerCount > 1 { await Task.yield() }
        #expect(await (try RawPeer(wires.path)).frames(atMost: 1) == [.hello(version: 1)])
        await wires.stop()
    }

    @Test("hangs up on who connects and says nothing")
    func silent() async throws {
        var limits = SocketWires.quick
        limits.patience = .milliseconds(20)
        let wires = try SocketWires(limits: limits)
        #expect(await (try RawPeer(wires.path)).everything() == [.hello(version: 1)])
        await wires.stop()
    }

    @Test("takes the place of a socket that a killed server left, and is its owner's alone")
    func stale() async throws {
        let directory = TemporaryDirectory()
        let path = directory.appending("bus.sock")
        // What kill -9 leaves: the name, and nobody behind it.
        LocalSocket.hangUp(try LocalSocket.listen(at: path, backlog: 1))
        #expect(FileManager.default.fileExists(atPath: path))
        #expect(throws: BusSocketError(.notListening, "")) { try LocalSocket.connect(to: path) }
        let server = try SocketBusServer(path: path, bus: InProcessChangeBus())
        #expect(await (try RawPeer(path)).frames(atMost: 1) == [.hello(version: 1)])
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        await server.close()
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == [])
        #expect(throws: BusSocketError(.notListening, "")) { try LocalSocket.connect(to: path) }
    }

    @Test("listens at a path that is longer than the address of a socket")
    func longPath() async throws {
        let directory = TemporaryDirectory()
        let folder = directory.appending(String(repeating: "long/", count: 40))
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let server = try SocketBusServer(path: folder + "bus.sock", bus: InProcessChangeBus())
        #expect(await (try RawPeer(folder + "bus.sock")).frames(atMost: 1) == [.hello(version: 1)])
        await server.close()
    }

    @Test("says why it can't listen")
    func nowhere() {
        let directory = TemporaryDirectory()
        #expect(throws: BusSocketError.self) {
            try SocketBusServer(path: directory.appending("no/folder/bus.sock"), bus: InProcessChangeBus())
        }
        #expect(throws: BusSocketError(.system, "")) {
            try SocketBusServer(
                path: directory.appending(String(repeating: "n", count: 100)), bus: InProcessChangeBus())
        }
    }
}
