public import Model
import Synchronization

/// A clock that stands still until a test moves it.
public final class ManualClock: WallClock {
    private let moment: Mutex<Timestamp>

    /// Makes a clock that shows a moment: by default 2026-01-02 03:04:05 UTC.
    public init(_ start: Timestamp = Timestamp(nanoseconds: 1_767_323_045_000_000_000)) {
        moment = Mutex(start)
    }

    /// The moment it shows.
    public func now() -> Timestamp { moment.withLock { $0 } }

    /// Moves it on.
    public func advance(by duration: Duration) {
        moment.withLock { $0 = $0.advanced(by: duration) }
    }
}
