import Messaging
import Model
import Testing

@testable import Notifications

@Suite("The notification hub")
struct NotificationHubTests {
    /// A hub with room for ten polls, that takes steps and says what they ended.
    private let hub = NotificationHub.Box(NotificationHub(capacity: 10))

    private func event(_ sequence: UInt64, _ message: BusMessage) -> [NotificationHub.Ended] {
        hub.step { $0.receive(BusEvent(sequence: sequence, message: message), into: &$1) }
    }

    private func learn(_ heads: Cursor...) -> [NotificationHub.Ended] {
        hub.step { $0.learn(heads: heads, into: &$1) }
    }

    private func advance(to second: UInt64) -> [NotificationHub.Ended] {
        hub.step { $0.advance(to: second, into: &$1) }
    }

    /// Parks a poll whose owner is the number of its device.
    @discardableResult
    private func park(
        _ device: UInt64, _ cursors: Cursor..., timeout: UInt32 = 60
    ) throws -> (ticket: PollTicket, ended: [NotificationHub.Ended]) {
        var ended: [NotificationHub.Ended] = []
        let ticket = try hub.hub.park(
            device: Polling.device(device), cursors: cursors, timeout: timeout, owner: device, into: &ended)
        return (ticket, ended)
    }

    private func end(_ ticket: PollTicket, _ owner: UInt64, _ answer: PollAnswer) -> NotificationHub.Ended {
        NotificationHub.Ended(ticket: ticket, owner: owner, answer: answer)
    }

    @Test("a poll that is behind a head read after it was parked ends, with what its driver gave for it")
    func behind() throws {
        let (ticket, ended) = try park(1, Polling.cursor(1, at: 4))
        #expect(ended.isEmpty)
        #expect(hub.nextUnread(atMost: 10) == [Polling.namespace(1)])
        #expect(learn(Polling.cursor(1, at: 6)) == [end(ticket, 1, Polling.moved(1, to: 6))])
        #expect(hub.count == 0)
        #expect(hub.namespaceCount == 0)
    }

    @Test("a poll stays parked while its namespaces are where its cursors are, or behind")
    func nothingNew() throws {
        try park(1, Polling.cursor(1, at: 4), Polling.cursor(2, at: 9))
        #expect(learn(Polling.cursor(1, at: 4), Polling.cursor(2, at: 3)).isEmpty)
        #expect(event(1, Polling.uploaded(1, to: 4)).isEmpty)
        #expect(event(2, Polling.uploaded(3, to: 100)).isEmpty)
        #expect(hub.count == 1)
    }

    @Test("once a head is known, a poll that is behind it ends as it parks, and nothing is read for others")
    func knownHead() throws {
        try park(1, Polling.cursor(1, at: 4))
        _ = hub.nextUnread(atMost: 10)
        _ = learn(Polling.cursor(1, at: 4))
        try park(2, Polling.cursor(1, at: 4))
        #expect(!hub.hasUnread)
        let (late, ended) = try park(3, Polling.cursor(1, at: 3))
        #expect(ended == [end(late, 3, Polling.moved(1, to: 4))])
        #expect(hub.count == 2)
    }

    @Test("a notice alone does not make a head known: one before it may have come while nobody was parked")
    func noticeIsNoHead() throws {
        try park(1, Polling.cursor(1, at: 5))
        // The commit of 6 was told before anybody was parked; that of 5 is told late.
        #expect(event(1, Polling.uploaded(1, to: 5)).isEmpty)
        #expect(hub.nextUnread(atMost: 10) == [Polling.namespace(1)])
        #expect(learn(Polling.cursor(1, at: 6)).map(\.owner) == [1])
    }

    @Test("a read that was too early takes nothing back of what a notice told meanwhile")
    func earlyRead() throws {
        try park(1, Polling.cursor(1, at: 5))
        _ = hub.nextUnread(atMost: 10)
        // Whoever parks while the head is read, is compared with what was told since the reading began.
        #expect(event(1, Polling.uploaded(1, to: 6)).map(\.owner) == [1])
        let (late, ended) = try park(2, Polling.cursor(1, at: 5))
        #expect(ended == [end(late, 2, Polling.moved(1, to: 6))])
        try park(3, Polling.cursor(1, at: 6))
        #expect(learn(Polling.cursor(1, at: 5)).isEmpty)
        #expect(try park(4, Polling.cursor(1, at: 5)).ended.map(\.answer) == [Polling.moved(1, to: 6)])
    }

    @Test("heads that are learned together are told in one answer")
    func oneAnswer() throws {
        let (ticket, _) = try park(1, Polling.cursor(1, at: 0), Polling.cursor(2, at: 0), Polling.cursor(3, at: 0))
        _ = hub.nextUnread(atMost: 10)
        let ended = learn(Polling.cursor(1, at: 1), Polling.cursor(2, at: 0), Polling.cursor(3, at: 3))
        #expect(ended.map(\.ticket) == [ticket])
        guard case .moved(let moved) = ended.first?.answer else {
            Issue.record("it was not told of anything")
            return
        }
        #expect(Set(moved.map(\.namespace)) == [Polling.namespace(1), Polling.namespace(3)])
    }

    @Test("a burst of news ends a poll once, at the first")
    func burst() throws {
        try park(1, Polling.cursor(1, at: 0))
        let ended = (1...20).flatMap { event($0, Polling.uploaded(1, to: $0)) }
        #expect(ended.map(\.answer) == [Polling.moved(1, to: 1)])
        #expect(hub.count == 0)
    }

    @Test("an announcement tells nobody of a revision before the poll's cursor, whoever else is told with it")
    func announcedLate() throws {
        // Of the commit that made revision 5 nothing was heard here yet.
        try park(1, Polling.cursor(1, at: 5))
        try park(2, Polling.cursor(1, at: 4))
        try park(3, Polling.cursor(1, at: 3))
        #expect(learn(Polling.cursor(1, at: 3)).isEmpty)
        let woken = event(1, Polling.pending(1, at: 4, by: 9))
        let told = Dictionary(uniqueKeysWithValues: woken.map { ($0.owner, $0.answer) })
        #expect(told[1] == Polling.moved(1, to: 5, pending: true))
        #expect(told[2] == Polling.moved(1, to: 4, pending: true))
        #expect(told[3] == Polling.moved(1, to: 4, pending: true))
    }

    @Test("an announcement wakes everybody but the device that made it")
    func pendingWakes() throws {
        for device in 1...3 { try park(UInt64(device), Polling.cursor(1, at: 4)) }
        let woken = event(1, Polling.pending(1, at: 4, by: 2))
        #expect(Set(woken.map(\.owner)) == [1, 3])
        #expect(woken.map(\.answer) == [PollAnswer](repeating: Polling.moved(1, to: 4, pending: true), count: 2))
        // Its own commit is told to it: another program may have used the same token.
        #expect(event(2, Polling.uploaded(1, to: 5, by: 2)).map(\.owner) == [2])
    }

    @Test("who announces files and is behind hears of the head, not of its files")
    func pendingByOneBehind() throws {
        try park(1, Polling.cursor(1, at: 4))
        #expect(event(1, Polling.pending(1, at: 5, by: 1)).map(\.answer) == [Polling.moved(1, to: 5)])
    }

    @Test("the second poll of a device takes the place of the first, also in a full hub")
    func replaced() throws {
        for device in 2...10 { try park(UInt64(device), Polling.cursor(9, at: 0)) }
        let first = try park(1, Polling.cursor(1, at: 4)).ticket
        let (second, ended) = try park(1, Polling.cursor(1, at: 5))
        #expect(ended == [end(first, 1, .replaced)])
        #expect(event(1, Polling.uploaded(1, to: 5)).isEmpty)
        #expect(event(2, Polling.uploaded(1, to: 6)).map(\.ticket) == [second])
    }

    @Test("no more polls and cursors are taken than there is room for")
    func full() throws {
        let hub = NotificationHub.Box(NotificationHub(capacity: 2, cursors: 3))
        var ended: [NotificationHub.Ended] = []
        func park(_ device: UInt64, _ names: ClosedRange<UInt64>) throws -> PollTicket {
            try hub.hub.park(
                device: Polling.device(device), cursors: names.map { Polling.cursor($0, at: 0) }, timeout: 9, owner: 1,
                into: &ended)
        }
        #expect(throws: PollError.overloaded) { try park(1, 1...4) }
        #expect(hub.cursorCount == 0 && hub.namespaceCount == 0)
        _ = try park(1, 1...2)
        #expect(throws: PollError.overloaded) { try park(2, 3...4) }
        let second = try park(2, 3...3)
        #expect(throws: PollError.overloaded) { try park(3, 3...3) }
        hub.hub.disconnect(second, into: &ended)
        #expect(throws: Never.self) { try park(3, 1...1) }
    }

    @Test("a revocation ends the poll of that device and no other, and what it tries afterwards")
    func revoked() throws {
        let ticket = try park(1, Polling.cursor(1, at: 0)).ticket
        try park(2, Polling.cursor(1, at: 0))
        #expect(event(1, .revoked(Polling.device(1))) == [end(ticket, 1, .revoked)])
        #expect(event(2, .revoked(Polling.device(7))).isEmpty)
        #expect(try park(1, Polling.cursor(1, at: 0)).ended.map(\.answer) == [.revoked])
        #expect(hub.count == 1)
    }

    @Test("a revocation is remembered for twenty minutes, and not for ever")
    func revocationsAreForgotten() throws {
        _ = event(1, .revoked(Polling.device(1)))
        _ = advance(to: 1199)
        #expect(hub.isRevoked(Polling.device(1)))
        _ = advance(to: 1200)
        #expect(hub.isRevoked(Polling.device(1)))
        _ = advance(to: 2400)
        #expect(!hub.isRevoked(Polling.device(1)))
    }

    @Test("a flood of revocations does not take up memory without end")
    func manyRevocations() {
        var recent = RecentRevocations()
        for device in 0..<UInt64(3 * RecentRevocations.most) { recent.insert(Polling.device(device), at: 5) }
        #expect(!recent.contains(Polling.device(0)))
        #expect(recent.contains(Polling.device(UInt64(2 * RecentRevocations.most))))
    }

    @Test("a namespace that is named twice counts with its older cursor, and is told once")
    func namedTwice() throws {
        try park(1, Polling.cursor(1, at: 9), Polling.cursor(2, at: 0), Polling.cursor(1, at: 3))
        #expect(hub.cursorCount == 2)
        #expect(learn(Polling.cursor(1, at: 4)).map(\.answer) == [Polling.moved(1, to: 4)])
    }

    @Test("a ticket whose poll has ended names no other poll, though its place is taken again")
    func oldTickets() throws {
        let first = try park(1, Polling.cursor(1, at: 0)).ticket
        #expect(hub.step { $0.disconnect(first, into: &$1) }.map(\.answer) == [.disconnected])
        let second = try park(2, Polling.cursor(1, at: 0)).ticket
        #expect(hub.step { $0.disconnect(first, into: &$1) }.isEmpty)
        #expect(hub.step { $0.expire(first, into: &$1) }.isEmpty)
        #expect(hub.step { $0.expire(second, into: &$1) }.map(\.answer) == [.timedOut])
    }
}
