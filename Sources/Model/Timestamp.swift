/// A moment: nanoseconds since 1970-01-01 UTC, without leap seconds.
public struct Timestamp: Hashable, Comparable, Sendable {
    /// Nanoseconds since 1970-01-01 UTC; negative before.
    public let nanoseconds: Int64

    /// Makes a moment of its nanoseconds since 1970-01-01 UTC.
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// Whole seconds since 1970-01-01 UTC, rounded down.
    public var seconds: Int64 {
        let (quotient, remainder) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        return remainder < 0 ? quotient - 1 : quotient
    }

    /// The moment a duration later (or earlier, for a negative one).
    public func advanced(by duration: Duration) -> Timestamp {
        let (seconds, attoseconds) = duration.components
        return Timestamp(nanoseconds: nanoseconds + seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }

    /// Orders moments in time.
    public static func < (left: Self, right: Self) -> Bool { left.nanoseconds < right.nanoseconds }
}

/// Where the time comes from: passed in wherever it is needed, so that tests can set it.
public protocol WallClock: Sendable {
    /// The present moment.
    func now() -> Timestamp
}
