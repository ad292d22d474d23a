/// How long to wait before the next attempt to connect: evenly from 0 to a bound that doubles with each failure (full
/// jitter; M. Brooker, "Exponential Backoff and Jitter", 2015), so that processes that were cut off together do not come
/// back together.
struct ReconnectPause {
    let base: Duration
    let cap: Duration
    private var failures = 0

    init(base: Duration, cap: Duration) {
        self.base = base
        self.cap = cap
    }

    /// The pause after one more failure.
    mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        let bound = min(cap, base * (1 << min(failures, 20)))
        failures += 1
        return bound * Double.random(in: 0...1, using: &generator)
    }

    /// Begins anew, after a connection that was good.
    mutating func reset() { failures = 0 }
}
