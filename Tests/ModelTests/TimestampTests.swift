import Model
import TestSupport
import Testing

@Suite struct TimestampTests {
    @Test(
        "seconds are rounded down on both sides of 1970",
        arguments: [
            (0, 0), (999_999_999, 0), (1_000_000_000, 1), (-1, -1), (-1_000_000_000, -1), (-1_000_000_001, -2),
        ])
    func seconds(_ nanoseconds: Int64, _ seconds: Int64) {
        #expect(Timestamp(nanoseconds: nanoseconds).seconds == seconds)
    }

    @Test("a moment moves by a duration to the nanosecond, either way")
    func advanced() {
        let moment = Timestamp(nanoseconds: 5)
        #expect(moment.advanced(by: .nanoseconds(7)).nanoseconds == 12)
        #expect(moment.advanced(by: .seconds(-2)).nanoseconds == -1_999_999_995)
        #expect(moment < moment.advanced(by: .nanoseconds(1)))
    }

    @Test("a manual clock stands still until it is moved")
    func manualClock() {
        let clock = ManualClock()
        let before = clock.now()
        #expect(clock.now() == before)
        clock.advance(by: .milliseconds(1_500))
        #expect(clock.now().nanoseconds - before.nanoseconds == 1_500_000_000)
    }

    @Test("the machine's clock does not run before this code was written")
    func systemClock() {
        #expect(SystemWallClock().now().seconds > 1_700_000_000)
    }

    @Test("revisions count on by one and order as they happened")
    func revisions() {
        #expect(Revision.zero.next == Revision(1))
        #expect(Revision(9) < Revision(10))
        #expect(Revision(12).description == "12")
    }
}
