import Messaging
import Model
import Testing

@testable import MessagingRedis

@Suite struct BusLedgerTests {
    private typealias Ledger = BusLedger<Int>
    private static let own = BusInstanceID(high: 1, low: 1)
    private static let other = BusInstanceID(high: 2, low: 2)

    private static func message(_ number: UInt64) -> BusMessage { .revoked(DeviceID(high: 0, low: number)) }

    private func connected(capacity: Int = 4) -> Ledger {
        var ledger = Ledger(instance: Self.own, capacity: capacity)
        ledger.publisherConnected()
        #expect(ledger.subscriberConnected() == [.gap])
        return ledger
    }

    @Test func `a message is told when it comes back`() {
        var ledger = connected()
        let added = ledger.add(Self.message(1), 1)
        #expect(added.tell.isEmpty)
        #expect(added.done == nil)
        let packets = ledger.take(atMost: 10)
        #expect(packets == [BusPacket(instance: Self.own, number: 1, message: Self.message(1))])
        #expect(ledger.sent() == [1])
        #expect(ledger.hear(packets[0]) == [.message(Self.message(1))])
        #expect(ledger.hear(packets[0]).isEmpty)
    }

    @Test func `without a connection a message is told at once, goes out later, and is told once`() {
        var ledger = Ledger(instance: Self.own, capacity: 4)
        let added = ledger.add(Self.message(1), 1)
        #expect(added.tell == [.message(Self.message(1))])
        #expect(added.done == 1)
        #expect(ledger.take(atMost: 10).isEmpty)
        ledger.publisherConnected()
        _ = ledger.subscriberConnected()
        let packets = ledger.take(atMost: 10)
        #expect(packets.map(\.message) == [Self.message(1)])
        #expect(ledger.hear(packets[0]).isEmpty)
    }

    @Test func `what was under way when the connection broke is told here, and a loss to the others`() {
        var ledger = connected()
        _ = ledger.add(Self.message(1), 1)
        _ = ledger.take(atMost: 1)
        _ = ledger.add(Self.message(2), 2)
        let lost = ledger.publisherLost()
        #expect(lost.tell == [.message(Self.message(1)), .message(Self.message(2))])
        #expect(lost.done == [1, 2])
        ledger.publisherConnected()
        let packets = ledger.take(atMost: 10)
        #expect(packets.map(\.message) == [Self.message(2), .resumed])
        #expect(packets.map(\.number) == [2, 3])
        #expect(ledger.sent().isEmpty)
    }

    @Test func `what there is no room for is told here, and a loss to the others`() {
        var ledger = connected(capacity: 1)
        #expect(ledger.add(Self.message(1), 1).done == nil)
        let second = ledger.add(Self.message(2), 2)
        #expect(second.tell == [.message(Self.message(1)), .message(Self.message(2))])
        #expect(second.done == 2)
        let packets = ledger.take(atMost: 10)
        #expect(packets.map(\.message) == [Self.message(1), .resumed])
        #expect(packets.map(\.number) == [1, 3])
        for packet in packets { #expect(ledger.hear(packet).isEmpty) }
    }

    @Test func `what waits is counted until the server has it`() {
        var ledger = connected(capacity: 4)
        for number in 1...3 { _ = ledger.add(Self.message(UInt64(number)), number) }
        #expect(ledger.backlog == 3)
        #expect(ledger.take(atMost: 2).count == 2)
        #expect(ledger.backlog == 3)
        let done = ledger.sent()
        #expect(done == [1, 2])
        #expect(ledger.backlog == 1)
        #expect(ledger.take(atMost: 2).count == 1)
        // It may have arrived or not: it does not go out again.
        _ = ledger.publisherLost()
        #expect(ledger.backlog == 0)
    }

    @Test func `the loss is told behind what waits`() {
        var ledger = Ledger(instance: Self.own, capacity: 2)
        for number in 1...3 { _ = ledger.add(Self.message(UInt64(number)), number) }
        ledger.publisherConnected()
        #expect(ledger.take(atMost: 1).map(\.number) == [1])
        _ = ledger.sent()
        #expect(ledger.take(atMost: 1).map(\.number) == [2, 4])
        _ = ledger.sent()
        #expect(ledger.take(atMost: 1).isEmpty)
    }

    @Test func `a number of another instance that is left out is a gap`() {
        var ledger = connected()
        func hear(_ number: UInt64, _ message: BusMessage) -> [Ledger.Telling] {
            ledger.hear(BusPacket(instance: Self.other, number: number, message: message))
        }
        #expect(hear(7, Self.message(7)) == [.message(Self.message(7))])
        #expect(hear(8, Self.message(8)) == [.message(Self.message(8))])
        #expect(hear(10, Self.message(10)) == [.gap, .message(Self.message(10))])
        #expect(hear(10, Self.message(10)).isEmpty)
        #expect(hear(9, Self.message(9)).isEmpty)
        #expect(hear(11, .resumed) == [.gap])
        #expect(hear(12, Self.message(12)) == [.message(Self.message(12))])
    }

    @Test func `an instance that is first heard of by its loss is a gap`() {
        var ledger = connected()
        #expect(ledger.hear(BusPacket(instance: Self.other, number: 3, message: .resumed)) == [.gap])
    }

    @Test func `many instances are forgotten with a gap`() {
        var ledger = connected()
        var gaps = 0
        for number in 0..<3000 as Range<UInt64> {
            let packet = BusPacket(
                instance: BusInstanceID(high: 3, low: number), number: 1, message: Self.message(number))
            gaps += ledger.hear(packet).count { $0 == .gap }
        }
        #expect(gaps == 2)
    }

    @Test func `packets are read as they were written`() {
        let notice = ChangeNotice(
            namespace: NamespaceID(high: 1, low: 2), revision: Revision(3), kind: .uploaded,
            device: DeviceID(high: 4, low: 5))
        for message in [.changed(notice), Self.message(9), .resumed] {
            let packet = BusPacket(instance: Self.other, number: 1 << 40, message: message)
            #expect(BusPacket(packet.encoded) == packet)
            #expect(BusPacket(packet.encoded + [0]) == nil)
            for count in 0..<packet.encoded.count { #expect(BusPacket(Array(packet.encoded.prefix(count))) == nil) }
            var other = packet.encoded
            other[0] = 2
            #expect(BusPacket(other) == nil)
        }
    }
}
