import Messaging
import Model
import Testing

@testable import Notifications

@Suite("The notification hub")
struct NotificationHubTests {
    private func event(_ sequence: UInt64, _ message: BusMessage) -> BusEvent {
        BusEvent(sequence: sequence, message: message)
    }

    @Test("a poll whose namespace moved already ends at the comparison")
    func alreadyMoved() throws {
        var hub = NotificationHub(capacity: 10)
        let (ticket, ended) = try hub.park(device: Polling.device(1), cursors: [Polling.cursor(1, at: 4)], timeout: 60)
        #expect(ended.isEmpty)
        let answers = hub.compare(ticket, heads: [Polling.cursor(1, at: 6)])
        #expect(answers == [.init(ticket: ticket, answer: Polling.moved(1, to: 6))])
        #expect(hub.count == 0)
    }

    @Test("a poll stays parked while its namespaces are where its cursors are, or behind")
    func nothingNew() throws {
        var hub = NotificationHub(capacity: 10)
        let (ticket, _) = try hub.park(
            device: Polling.device(1), cursors: [Polling.cursor(1, at: 4), Polling.cursor(2, at: 9)], timeout: 60)
        #expect(hub.compare(ticket, heads: [Polling.cursor(1, at: 4), Polling.cursor(2, at: 3)]).isEmpty)
        #expect(hub.receive(event(1, Polling.uploaded(1, to: 4))).isEmpty)
        #expect(hub.receive(event(2, Polling.uploaded(3, to: 100))).isEmpty)
        #expect(hub.count == 1)
    }

    @Test("a change between the reading of the heads and the comparison is told once")
    func raceWithNotice() throws {
        var hub = NotificationHub(capacity: 10)
        let (ticket, _) = try hub.park(device: Polling.device(1), cursors: [Polling.cursor(1, at: 4)], timeout: 60)
        // The heads were read at 4; the commit of 5 came before the comparison.
        let woken = hub.receive(event(1, Polling.uploaded(1, to: 5)))
        #expect(woken.map(\.answer) == [Polling.moved(1, to: 5)])
        #expect(hub.compare(ticket, heads: [Polling.cursor(1, at: 4)]).isEmpty)
        #expect(hub.compare(ticket, heads: [Polling.cursor(1, at: 5)]).isEmpty)
    }

    @Test("an announcement wakes everybody but the device that made it")
    func pendingWakes() throws {
        var hub = NotificationHub(capacity: 10)
        for device in 1...3 {
            _ = try hub.park(
                device: Polling.device(UInt64(device)), cursors: [Polling.cursor(1, at: 4)], timeout: 60)
        }
        let woken = hub.receive(event(1, Polling.pending(1, at: 4, by: 2)))
        #expect(woken.map(\.answer) == [PollAnswer](repeating: Polling.moved(1, to: 4, pending: true), count: 2))
        #expect(hub.count == 1)
        // Its own commit is told to it: another program may have used the same token.
        #expect(hub.receive(event(2, Polling.uploaded(1, to: 5, by: 2))).count == 1)
    }

    @Test("the second poll of a device takes the place of the first")
    func replaced() throws {
        var hub = NotificationHub(capacity: 1)
        let (first, _) = try hub.park(device: Polling.device(1), cursors: [Polling.cursor(1, at: 4)], timeout: 60)
        let (second, ended) = try hub.park(device: Polling.device(1), cursors: [Polling.cursor(1, at: 5)], timeout: 60)
        #expect(ended == [.init(ticket: first, answer: .replaced)])
        #expect(hub.receive(event(1, Polling.uploaded(1, to: 5))).isEmpty)
        #expect(hub.receive(event(2, Polling.uploaded(1, to: 6))).map(\.ticket) == [second])
    }

    @Test("no more polls are parked than there is room for")
    func full() throws {
        var hub = NotificationHub(capacity: 2)
        _ = try hub.park(device: Polling.device(1), cursors: [Polling.cursor(1, at: 0)], timeout: 60)
        let (second, _) = try hub.park(device: Polling.device(2), cursors: [Polling.cursor(1, at: 0)], timeout: 60)
        #expect(throws: PollError.overloaded) {
            try hub.park(device: Polling.device(3), cursors: [Polling.cursor(1, at: 0)], timeout: 60)
        }
        _ = hub.disconnect(second)
        #expect(throws: Never.self) {
            try hub.park(device: Polling.device(3), cursors: [Polling.cursor(1, at: 0)], timeout: 60)
        }
    }

    @Test("a revocation ends the poll of that device and no other")
    func revoked() throws {
        var hub = NotificationHub(capacity: 10)
        let (ticket, _) = try hub.park(device: Polling.device(1), cursors: [Polling.cursor(1, at: 0)], timeout: 60)
        _ = try hub.park(device: Polling.device(2), cursors: [Polling.cursor(1, at: 0)], timeout: 60)
        #expect(hub.receive(event(1, .revoked(Polling.device(1)))) == [.init(ticket: ticket, answer: .revoked)])
        #expect(hub.count == 1)
        #expect(hub.receive(event(2, .revoked(Polling.device(7)))).isEmpty)
    }

    @Test("a poll ends when its time is over, never before, in the order of the deadlines")
    func timeouts() throws {
        var hub = NotificationHub(capacity: 10)
        _ = hub.advance(to: 1000)
        let (long, _) = try hub.park(device: Polling.device(1), cursors: [Polling.cursor(1, at: 0)], timeout: 60)
        let (short, _) = try hub.park(device: Polling.device(2), cursors: [Polling.cursor(1, at: 0)], timeout: 10)
        #expect(hub.advance(to: 1010).isEmpty)
        #expect(hub.advance(to: 1011) == [.init(ticket: short, answer: .timedOut)])
        #expect(hub.advance(to: 1060).isEmpty)
        #expect(hub.advance(to: 1_000_000) == [.init(ticket: long, answer: .timedOut)])
        #expect(hub.advance(to: 5).isEmpty, "time does not go back")
    }

    @Test("a gap in the sequence ends every poll, so that the devices look for themselves")
    func gap() throws {
        var hub = NotificationHub(capacity: 10)
        #expect(hub.receive(event(41, Polling.uploaded(5, to: 1))).isEmpty, "the first event may have any number")
        for device in 1...4 {
            _ = try hub.park(
                device: Polling.device(UInt64(device)), cursors: [Polling.cursor(UInt64(device), at: 0)], timeout: 60)
        }
        #expect(
            hub.receive(event(43, Polling.uploaded(9, to: 1))).map(\.answer) == [
                .timedOut, .timedOut, .timedOut, .timedOut,
            ])
        #expect(hub.count == 0)
    }

    @Test("draining ends every poll, and those that come later at once")
    func drain() throws {
        var hub = NotificationHub(capacity: 10)
        let (parked, _) = try hub.park(device: Polling.device(1), cursors: [Polling.cursor(1, at: 0)], timeout: 60)
        #expect(hub.drain() == [.init(ticket: parked, answer: .closing)])
        let (late, ended) = try hub.park(device: Polling.device(2), cursors: [Polling.cursor(1, at: 0)], timeout: 60)
        #expect(ended == [.init(ticket: late, answer: .closing)])
        #expect(hub.count == 0)
    }

    @Test("a namespace that is named twice counts with its older cursor")
    func namedTwice() throws {
        var hub = NotificationHub(capacity: 10)
        let (ticket, _) = try hub.park(
            device: Polling.device(1), cursors: [Polling.cursor(1, at: 9), Polling.cursor(1, at: 3)], timeout: 60)
        #expect(hub.compare(ticket, heads: [Polling.cursor(1, at: 4)]).map(\.answer) == [Polling.moved(1, to: 4)])
    }
}
