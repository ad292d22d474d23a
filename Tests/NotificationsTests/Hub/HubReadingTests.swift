import Messaging
import Model
import Testing

@testable import Notifications

@Suite("How the hub has heads read")
struct HubReadingTests {
    private let hub = NotificationHub.Box(NotificationHub(capacity: 100))

    private func park(_ device: UInt64, _ names: ClosedRange<UInt64>, timeout: UInt32 = 60) throws {
        var ended: [NotificationHub.Ended] = []
        _ = try hub.hub.park(
            device: Polling.device(device), cursors: names.map { Polling.cursor($0, at: 1) }, timeout: timeout,
            owner: device, into: &ended)
        #expect(ended.isEmpty)
    }

    private func learn(_ names: [NamespaceID], at revision: UInt64 = 1) -> [NotificationHub.Ended] {
        hub.step {
            $0.learn(heads: names.map { Cursor(namespace: $0, revision: Revision(revision)) }, into: &$1)
        }
    }

    private func event(_ sequence: UInt64, _ message: BusMessage = .revoked(Polling.device(1000))) {
        _ = hub.step { $0.receive(BusEvent(sequence: sequence, message: message), into: &$1) }
    }

    @Test("namespaces are handed out in the order in which they came, each once, in batches")
    func batches() throws {
        try park(1, 1...4)
        try park(2, 3...7)
        #expect(hub.unreadCount == 7)
        #expect(hub.nextUnread(atMost: 4) == (1...4).map { Polling.namespace($0) })
        #expect(hub.nextUnread(atMost: 4) == (5...7).map { Polling.namespace($0) })
        #expect(hub.nextUnread(atMost: 4).isEmpty)
        #expect(hub.unreadCount == 7)
        _ = learn((1...7).map { Polling.namespace($0) })
        #expect(hub.unreadCount == 0)
    }

    @Test("what could not be read is handed out again")
    func failedRead() throws {
        try park(1, 1...2)
        let names = hub.nextUnread(atMost: 9)
        hub.unread(names)
        #expect(hub.hasUnread)
        #expect(hub.nextUnread(atMost: 9) == names)
        // Only what was handed out can come back.
        hub.unread([Polling.namespace(50)])
        #expect(hub.nextUnread(atMost: 9).isEmpty)
    }

    @Test("a namespace that nobody waits for any more is not handed out")
    func nobodyWaits() throws {
        try park(1, 1...3)
        _ = hub.step { $0.advance(to: 1000, into: &$1) }
        #expect(hub.namespaceCount == 0)
        #expect(!hub.hasUnread)
        #expect(hub.nextUnread(atMost: 9).isEmpty)
    }

    @Test("a namespace that is being read hears what is told meanwhile, though nobody is parked")
    func readWithoutPolls() throws {
        try park(1, 1...1)
        let names = hub.nextUnread(atMost: 9)
        _ = hub.step { $0.advance(to: 1000, into: &$1) }
        #expect(hub.namespaceCount == 1)
        event(1, Polling.uploaded(1, to: 2))
        var ended: [NotificationHub.Ended] = []
        _ = try hub.hub.park(
            device: Polling.device(2), cursors: [Polling.cursor(1, at: 1)], timeout: 60, owner: 2, into: &ended)
        #expect(ended.map(\.answer) == [Polling.moved(1, to: 2)])
        #expect(learn(names).isEmpty)
        #expect(hub.namespaceCount == 0)
    }

    @Test("after a gap all heads are read again, and who is behind is told late")
    func gap() throws {
        try park(1, 1...5)
        try park(2, 4...9)
        _ = learn(hub.nextUnread(atMost: 20))
        event(1)
        #expect(!hub.hasUnread)
        event(3)
        #expect(hub.hasUnread)
        #expect(hub.count == 2, "nobody is ended for a gap")
        let (first, second) = (hub.nextUnread(atMost: 5), hub.nextUnread(atMost: 5))
        #expect(Set(first + second).count == 9)
        #expect(hub.nextUnread(atMost: 5).isEmpty)
        #expect(!hub.hasUnread)
        _ = learn(first)
        #expect(learn(second, at: 2).count > 0)
    }

    @Test("a gap while a head is read has it read once more")
    func gapDuringRead() throws {
        try park(1, 1...1)
        let names = hub.nextUnread(atMost: 9)
        event(5)
        #expect(learn(names).isEmpty)
        #expect(hub.nextUnread(atMost: 9) == names)
        #expect(learn(names, at: 2).map(\.answer) == [Polling.moved(1, to: 2)])
    }

    @Test("a first event that is not the first of its bus is a gap, for polls may have been parked before it")
    func firstEvent() throws {
        try park(1, 1...1)
        _ = learn(hub.nextUnread(atMost: 9))
        event(2)
        #expect(hub.nextUnread(atMost: 9) == [Polling.namespace(1)])
    }

    @Test("those who come after a gap do not keep the others waiting, nor the other way round")
    func fairness() throws {
        try park(1, 1...20)
        _ = learn(hub.nextUnread(atMost: 20))
        event(2)
        try park(2, 31...50)
        let batch = Set(hub.nextUnread(atMost: 10))
        #expect(batch.intersection((31...50).map { Polling.namespace($0) }).count == 5)
        #expect(batch.intersection((1...20).map { Polling.namespace($0) }).count == 5)
    }

    @Test("a poll that only looks ends as soon as all its heads are known")
    func looks() throws {
        try park(1, 1...2, timeout: 0)
        let names = hub.nextUnread(atMost: 9)
        #expect(learn([names[0]]).isEmpty)
        #expect(learn([names[1]]).map(\.answer) == [.timedOut])
        try park(2, 1...1)
        _ = learn(hub.nextUnread(atMost: 9))
        var ended: [NotificationHub.Ended] = []
        _ = try hub.hub.park(
            device: Polling.device(3), cursors: [Polling.cursor(1, at: 1)], timeout: 0, owner: 3, into: &ended)
        #expect(ended.map(\.answer) == [.timedOut], "with heads that are known it does not even park")
    }

    @Test("a poll that only looks does not wait for ever when heads can't be read")
    func looksInVain() throws {
        try park(1, 1...1, timeout: 0)
        #expect(hub.step { $0.advance(to: 10, into: &$1) }.isEmpty)
        #expect(hub.step { $0.advance(to: 11, into: &$1) }.map(\.answer) == [.timedOut])
    }
}
