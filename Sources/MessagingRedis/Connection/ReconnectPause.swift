/// How long to wait before the next attempt to connect: evenly from 0 to a bound that doubles with each failure (full
/// jitter; M. Brooker, "Exponential Backoff and Jitter", 2015).
struct ReconnectPause {
    private let base: Duration
    private let cap: Duration
    private var failures = 0
    private var generator: any RandomNumberGenerator & Sendable

    init(_ limits: RedisLimits, _ generator: any RandomNumberGenerator & Sendable) {
        base = limits.firstPause
        cap = limits.longestPause
        self.generator = generator
    }

    /// The pause after one more failure.
    mutating func next() -> Duration {
        let bound = min(cap, base * (1 << min(failures, 20)))
        failures += 1
        return bound * (Double(generator.next() >> 11) / Double(UInt64(1) << 53))
    }

    /// Begins anew, after a connection that was good.
    mutating func reset() { failures = 0 }
}
