import Messaging
import MessagingConformance
import Model
import Testing

@testable import Notifications

private typealias Fixture = QueueFixture

@Suite("What the queue has not been told yet")
struct QueueIntakeTests {
    private func changed(
        _ sequence: UInt64, _ namespace: UInt64, _ revision: UInt64, by device: UInt64,
        kind: ChangeNotice.Kind = .uploaded
    ) -> BusEvent {
        BusEvent(
            sequence: sequence,
            message: .changed(
                ChangeNotice(
                    namespace: Fixture.namespace(namespace), revision: Revision(revision), kind: kind,
                    device: Fixture.device(device))))
    }

    /// An intake that has nothing to do, after `sequence` events.
    private func intake(limit: Int = 100) -> QueueIntake {
        var intake = QueueIntake(limit: limit)
        if let filling = intake.filling { intake.advance(filling, to: nil) }
        return intake
    }

    @Test("at the beginning everything is to be filled in")
    func beginning() {
        let intake = QueueIntake(limit: 10)
        #expect(intake.filling?.after == nil)
        #expect(!intake.isIdle)
        #expect(self.intake().isIdle)
    }

    @Test("a burst for one namespace is one piece of news, of the newest revision")
    func burst() {
        var intake = intake()
        for revision in 1...50 as ClosedRange<UInt64> { intake.receive(changed(revision, 1, revision, by: 1)) }
        intake.receive(changed(51, 2, 3, by: 2))
        #expect(intake.count == 2)
        let news = intake.take()
        #expect(news.moved[Fixture.namespace(1)] == .init(revision: Revision(50), author: Fixture.device(1)))
        #expect(news.moved[Fixture.namespace(2)] == .init(revision: Revision(3), author: Fixture.device(2)))
        #expect(intake.isIdle)
    }

    @Test("the author is left out only if it made all of the news")
    func authors() {
        var intake = intake()
        intake.receive(changed(1, 1, 5, by: 1))
        intake.receive(changed(2, 1, 6, by: 2))
        intake.receive(changed(3, 1, 7, by: 2))
        #expect(intake.take().moved[Fixture.namespace(1)] == .init(revision: Revision(7), author: nil))
    }

    @Test("what is only on its way is nothing to look at later")
    func pending() {
        var intake = intake()
        intake.receive(changed(1, 1, 5, by: 1, kind: .pending))
        #expect(intake.isIdle)
    }

    @Test("a number left out by the bus makes everything be filled in anew, from the first device on")
    func gap() {
        var intake = QueueIntake(limit: 10)
        guard let filling = intake.filling else { return }
        intake.advance(filling, to: Fixture.device(7))
        #expect(intake.filling?.after == Fixture.device(7))
        intake.receive(changed(4, 1, 1, by: 1))
        #expect(intake.filling?.after == Fixture.device(7))
        intake.receive(changed(6, 1, 2, by: 1))
        #expect(intake.filling != nil)
        #expect(intake.filling?.after == nil)
        // The page that was under way does not end the filling that began meanwhile.
        intake.advance(filling, to: nil)
        #expect(intake.filling != nil)
    }

    @Test("news of too many namespaces give way to a filling, and so do too many revocations")
    func bounded() {
        var intake = intake(limit: 10)
        for number in 1...10 as ClosedRange<UInt64> { intake.receive(changed(number, number, 1, by: 1)) }
        #expect(intake.filling == nil)
        intake.receive(changed(11, 11, 1, by: 1))
        #expect(intake.filling != nil)
        #expect(intake.count == 0)
        var other = self.intake(limit: 10)
        for number in 1...11 as ClosedRange<UInt64> {
            other.receive(BusEvent(sequence: number, message: .revoked(Fixture.device(number))))
        }
        #expect(other.filling != nil)
        #expect(other.count == 0)
    }

    @Test("what could not be told is still to be told, with what came since")
    func putBack() {
        var intake = intake()
        intake.receive(changed(1, 1, 5, by: 1))
        intake.receive(BusEvent(sequence: 2, message: .revoked(Fixture.device(9))))
        let revoked = intake.takeRevoked()
        let news = intake.take()
        #expect(revoked == [Fixture.device(9)])
        intake.receive(changed(3, 1, 6, by: 2))
        intake.putBack(news)
        intake.putBack(.init(revoked: revoked))
        let again = intake.take()
        #expect(again.moved[Fixture.namespace(1)] == .init(revision: Revision(6), author: nil))
        #expect(again.revoked == [Fixture.device(9)])
    }
}
