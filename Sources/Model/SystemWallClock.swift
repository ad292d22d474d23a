import Glibc

/// The machine's own clock.
public struct SystemWallClock: WallClock {
    /// Makes the clock.
    public init() {}

    /// The present moment by `CLOCK_REALTIME`.
    public func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}
