import Files
import Messaging
import Model
import Testing

@testable import HTTPAPI

@Suite("The streams of events that are open", .timeLimit(.minutes(1)))
struct EventStreamsTests {
    private let bus = InProcessChangeBus()
    private let ada = DeviceID(high: 1, low: 1)
    private let eve = DeviceID(high: 1, low: 2)

    /// Waits until its task is cancelled.
    private static func wait() async {
        let (never, signal) = AsyncStream<Void>.makeStream()
        for await _ in never {}
        withExtendedLifetime(signal) {}
    }

    @Test("end with the revocation of their device, and no other's")
    func revocation() async throws {
        let streams = EventStreams(bus: bus, capacity: 10)
        let (own, other) = (try streams.open(for: ada), try streams.open(for: eve))
        await bus.publish(.revoked(ada))
        #expect(own.isEnded)
        #expect(!other.isEnded)
        #expect(try await own.whileOpen { await Self.wait() } == nil)
        #expect(try await other.whileOpen { 7 } == 7)
    }

    @Test("stop what waits for them when they end")
    func ending() async throws {
        let streams = EventStreams(bus: bus, capacity: 10)
        let stream = try streams.open(for: ada)
        async let waiting: Void? = stream.whileOpen { await Self.wait() }
        await bus.publish(.revoked(ada))
        #expect(try await waiting == nil)
    }

    @Test("all end when news went missing")
    func gap() async throws {
        let streams = EventStreams(bus: bus, capacity: 10)
        let open = [try streams.open(for: ada), try streams.open(for: eve)]
        bus.leaveGap()
        #expect(open.map(\.isEnded) == [true, true])
        let later = try streams.open(for: ada)
        await bus.publish(.revoked(eve))
        #expect(!later.isEnded)
    }

    @Test("are bounded, and make room when they go")
    func bound() throws {
        let streams = EventStreams(bus: bus, capacity: 2)
        var open = [try streams.open(for: ada), try streams.open(for: ada)]
        #expect(throws: FilesError(.unavailable, "")) { try streams.open(for: eve) }
        open.removeLast()
        #expect(streams.count == 1)
        open.append(try streams.open(for: eve))
        #expect(streams.count == 2)
        open = []
        #expect(streams.count == 0)
    }
}
