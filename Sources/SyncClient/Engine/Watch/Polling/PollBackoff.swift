/// How long to wait before the next attempt after failures in a row: evenly from 0 to a bound that doubles with each (full
/// jitter; M. Brooker, "Exponential Backoff and Jitter", 2015). So a crowd that was cut off in one moment does not come
/// back in one.
struct PollBackoff: Hashable {
    /// The bound after the first failure.
    let base: Duration
    /// The bound that is never passed.
    let cap: Duration
    private(set) var failures = 0

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

    /// Begins anew, after a success.
    mutating func reset() { failures = 0 }
}
