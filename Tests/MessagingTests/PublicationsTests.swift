import BusConformance
import Messaging
import TestSupport
import Testing

@testable import MessagingLocal

@Suite("Messages on their way to the bus")
struct PublicationsTests {
    private static func message(_ number: UInt64) -> BusMessage { BusConformance.message(number) }

    private var connected: Publications<String> {
        var publications = Publications<String>(capacity: 3)
        publications.connect()
        return publications
    }

    @Test("are sent in their order, and their publishers wait until they are acknowledged")
    func order() throws {
        var publications = connected
        #expect(publications.add(Self.message(1), "first") == nil)
        #expect(publications.add(Self.message(2), "second") == nil)
        #expect(publications.take() == [.publish(Self.message(1)), .publish(Self.message(2))])
        #expect(publications.take() == [])
        #expect(publications.underWayCount == 2)
        #expect(try publications.acknowledge() == "first")
        #expect(try publications.acknowledge() == "second")
        #expect(throws: BusSocketError(.malformed, "")) { () throws in _ = try publications.acknowledge() }
    }

    @Test("wait without a connection, but not their publishers")
    func away() throws {
        var publications = Publications<String>(capacity: 3)
        #expect(publications.add(Self.message(1), "first") == "first")
        #expect(publications.take() == [])
        publications.connect()
        #expect(publications.take() == [.publish(Self.message(1))])
        #expect(try publications.acknowledge() == nil)
    }

    @Test("that were sent and not acknowledged when the connection ends become a gap, before any other")
    func unknown() {
        var publications = connected
        _ = publications.add(Self.message(1), "first")
        _ = publications.take()
        _ = publications.add(Self.message(2), "second")
        #expect(publications.disconnect() == ["first", "second"])
        #expect(publications.underWayCount == 0)
        publications.connect()
        #expect(publications.take() == [.lost, .publish(Self.message(2))])
        #expect(publications.take() == [])
    }

    @Test("leave no gap when all were acknowledged")
    func known() throws {
        var publications = connected
        _ = publications.add(Self.message(1), "first")
        _ = publications.take()
        _ = try publications.acknowledge()
        #expect(publications.disconnect() == [])
        publications.connect()
        #expect(publications.take() == [])
    }

    @Test("that are too many are dropped, and become a gap")
    func bound() {
        var publications = Publications<String>(capacity: 2)
        for number in 1...4 { #expect(publications.add(Self.message(UInt64(number)), "\(number)") == "\(number)") }
        publications.connect()
        #expect(publications.take() == [.lost, .publish(Self.message(1)), .publish(Self.message(2))])
        #expect(publications.add(Self.message(5), "fifth") == "fifth", "two are under way still")
        #expect(publications.take() == [.lost])
    }
}

@Suite("The pause before a process connects again")
struct ReconnectPauseTests {
    /// Always draws the largest number.
    private struct Highest: RandomNumberGenerator {
        mutating func next() -> UInt64 { .max }
    }

    @Test("doubles up to its bound, and begins anew after a good connection")
    func growth() {
        var pause = ReconnectPause(base: .milliseconds(50), cap: .milliseconds(300))
        var generator = Highest()
        let drawn = (0..<5).map { _ in pause.next(using: &generator) }
        #expect(drawn == [50, 100, 200, 300, 300].map { .milliseconds($0) })
        for _ in 0..<100 { _ = pause.next(using: &generator) }
        pause.reset()
        #expect(pause.next(using: &generator) == .milliseconds(50))
    }

    @Test("is drawn from the whole span, so that a crowd spreads")
    func jitter() {
        var generator = SeededGenerator(seed: 7)
        let drawn = (0..<500).map { _ in
            var pause = ReconnectPause(base: .seconds(1), cap: .seconds(1))
            return pause.next(using: &generator)
        }
        #expect(drawn.allSatisfy { $0 >= .zero && $0 <= .seconds(1) })
        #expect(drawn.count { $0 < .milliseconds(500) } > 150)
        #expect(drawn.count { $0 > .milliseconds(500) } > 150)
    }
}

@Suite("The bytes that wait for a receiver")
struct BusOutboxTests {
    @Test("are taken in their order, and bounded")
    func bound() {
        var outbox = BusOutbox(capacity: 5)
        #expect(outbox.isEmpty)
        let taken = [[1, 2], [3, 4, 5], [6]].map { outbox.add($0) }
        #expect(taken == [true, true, false])
        #expect(outbox.take() == [1, 2, 3, 4, 5])
        #expect(outbox.isEmpty)
        #expect(outbox.add([6]) == true)
    }
}
