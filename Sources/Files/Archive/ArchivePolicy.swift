import Metadata
import Model

/// What goes to the archive, and for how long what came back stays: pure rules over times.
///
/// A block goes when every version that needs it is cold, nobody has read it lately, and it is not kept. A past version is
/// cold when it ended long ago. A current file is cold only when the policy says so, and then when it was neither written nor
/// read for long. A version that was thinned needs nothing.
public struct ArchivePolicy: Hashable, Sendable {
    /// How long ago a past version must have ended: 90 days by default.
    public var pastAfter: Duration
    /// For how long a current file must have been left alone; nil, the default, keeps all current files hot.
    public var currentAfter: Duration?
    /// For how long what was brought back stays hot: 7 days by default. Days are all that is told apart.
    public var keptAfterThaw: Duration

    /// Makes a policy.
    public init(
        pastAfter: Duration = .seconds(90 * 86_400), currentAfter: Duration? = nil,
        keptAfterThaw: Duration = .seconds(7 * 86_400)
    ) {
        precondition(pastAfter >= .zero && currentAfter ?? .zero >= .zero && keptAfterThaw >= .zero, "in the past")
        self.pastAfter = pastAfter
        self.currentAfter = currentAfter
        self.keptAfterThaw = keptAfterThaw
    }

    /// The moments that decide, seen from the present.
    func cutoffs(at now: Timestamp) -> Cutoffs {
        Cutoffs(
            ended: now.advanced(by: .zero - pastAfter), begun: currentAfter.map { now.advanced(by: .zero - $0) },
            unread: Self.unread(for: pastAfter, at: now),
            unreadFiles: Self.unread(for: currentAfter ?? .zero, at: now), today: Day(now))
    }

    /// The last day on which what comes back today stays hot.
    func keptDay(at now: Timestamp) -> Day { Day(now.advanced(by: keptAfterThaw)) }

    /// From which day on a reading counts as lately. Of a span below a day nothing is known, so nothing is asked.
    private static func unread(for span: Duration, at now: Timestamp) -> Day {
        span < .seconds(86_400) ? Day(number: Day(now).number + 1) : Day(now.advanced(by: .zero - span))
    }

    /// The moments that decide.
    struct Cutoffs: Hashable, Sendable {
        /// A past version is cold when it ended by then.
        let ended: Timestamp
        /// A current file may be cold when it became what it is by then; nil when none may.
        let begun: Timestamp?
        /// A block that was read on this day or later stays.
        let unread: Day
        /// A current file of which anything was read on this day or later stays.
        let unreadFiles: Day
        /// A block that is kept on this day or longer stays.
        let today: Day
    }
}
