import Synchronization

/// A clock on which every pause is over at once: its time goes on by what is slept.
public final class ImmediateClock: Clock {
    /// A moment, as the time since the clock was made.
    public struct Instant: InstantProtocol {
        let elapsed: Duration

        /// The moment so much later.
        public func advanced(by duration: Duration) -> Instant { Instant(elapsed: elapsed + duration) }

        /// The time from this moment to another.
        public func duration(to other: Instant) -> Duration { other.elapsed - elapsed }

        /// Orders moments.
        public static func < (left: Instant, right: Instant) -> Bool { left.elapsed < right.elapsed }
    }

    private let elapsed = Mutex(Duration.zero)

    /// Makes a clock at its beginning.
    public init() {}

    /// The sum of all that was slept.
    public var now: Instant { Instant(elapsed: elapsed.withLock { $0 }) }

    /// As fine as a duration.
    public var minimumResolution: Duration { .zero }

    /// Moves the time on, and lets others run.
    public func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        elapsed.withLock { $0 = max($0, deadline.elapsed) }
        await Task.yield()
    }
}
