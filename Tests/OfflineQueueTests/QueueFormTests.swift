import Messaging
import MessagingConformance
import Model
import Testing

@Suite("The forms of queue entries")
struct QueueFormTests {
    @Test("a position is read back from its text")
    func positionText() {
        let position = QueuePosition(queue: QueueFixture.identity(7), epoch: 3, number: 41)
        #expect(position.description == "000000000000000e0000000000000007-3-41")
        #expect(QueuePosition(position.description) == position)
    }

    @Test(
        "what is no position is refused",
        arguments: [
            "", "-", "--", "000000000000000e0000000000000007", "000000000000000e0000000000000007-3",
            "000000000000000e0000000000000007-3-", "000000000000000e0000000000000007-3--1",
            "000000000000000e0000000000000007-3-1-1", "000000000000000e0000000000000007-x-1",
            "00000000000000e0000000000000007-3-1", "000000000000000e0000000000000007-3-99999999999999999999",
            "zz0000000000000e0000000000000007-3-1", "000000000000000e0000000000000007--3-1",
        ])
    func noPosition(text: String) {
        #expect(QueuePosition(text) == nil)
    }

    @Test(
        "an entry is made again of its key and version",
        arguments: [
            QueueFixture.moved(1, 9), QueueFixture.event(.shareOffered, 3, at: 5),
            QueueFixture.event(.init(rawValue: "invented_later"), 0),
        ])
    func entry(entry: QueueEntry) {
        #expect(QueueEntry(key: entry.key, version: entry.version) == entry)
    }

    @Test("what can be no entry is not made one")
    func noEntry() {
        #expect(QueueEntry(key: .init(kind: "", subject: [1, 2]), version: 1) == nil)
        #expect(QueueEntry(key: .init(kind: "share_offered", subject: []), version: 1) == nil)
        #expect(QueueEntry(key: .init(kind: "", subject: Array(repeating: 0, count: 16)), version: -1) == nil)
    }

    @Test("a namespace and an event about something of the same id are different keys")
    func keys() {
        let id = QueueFixture.namespace(1)
        let event = AccountEvent(.restoreReady, EventSubjectID(high: id.high, low: id.low), at: QueueFixture.time)
        #expect(QueueFixture.moved(1, 1).key != QueueEntry.event(event).key)
        #expect(QueueFixture.moved(1, 1).key == QueueFixture.moved(1, 2).key)
    }

    @Test("errors are equal by their code")
    func errors() {
        #expect(QueueError(.timedOut, "a") == QueueError(.timedOut, "b"))
        #expect(QueueError(.timedOut, "a") != QueueError(.overloaded, "a"))
        #expect("\(QueueError(.timedOut, "why"))" == "why")
    }
}
