/// How often something may be done: a bucket of tokens that fills evenly.
public struct RateRule: Hashable, Sendable {
    /// How many tokens the bucket holds: what may be done at once.
    public let burst: Int
    /// How long it takes until one more token is in it.
    public let interval: Duration

    /// Makes a rule: `burst` at once, and then one after each `interval`.
    public init(burst: Int, interval: Duration) {
        precondition(
            burst > 0 && interval >= .microseconds(1), "a bucket holds something, and fills in measurable time")
        self.burst = burst
        self.interval = interval
    }
}

/// Whether something may be done now.
public enum RateVerdict: Hashable, Sendable {
    /// It may.
    case allowed
    /// It may not before this time has passed.
    case refused(retryAfter: Duration)
}

/// Bounds how often something is done, by key: by device, by address.
///
/// Keys are independent, and a key that was not used for long is as one that was never used. Several servers may share the
/// buckets. A limiter whose storage is out of order does not refuse for that reason.
public protocol RateLimiter: Sendable {
    /// Takes tokens from the bucket of a key, if they are all there; else none.
    /// - Parameters:
    ///   - tokens: how many, at most the burst of the rule.
    ///   - key: whose bucket; one key is always used with one rule.
    ///   - rule: how it fills.
    /// - Returns: Whether they were taken.
    func take(_ tokens: Int, of key: String, by rule: RateRule) async -> RateVerdict

    /// Fills the bucket of a key, as if nothing had ever been taken from it.
    func refill(_ key: String) async
}

/// A bucket of tokens, as the moment at which it will be full: a value without clock. Times are durations since any fixed
/// moment.
public struct TokenBucket: Hashable, Sendable {
    /// When it is full again, if nothing is taken.
    public private(set) var full: Duration

    /// Makes a full bucket.
    public init(at now: Duration) {
        full = now
    }

    /// Takes tokens, if they are all there.
    public mutating func take(_ tokens: Int, by rule: RateRule, at now: Duration) -> RateVerdict {
        let wanted = max(full, now) + rule.interval * min(max(tokens, 0), rule.burst)
        let excess = wanted - now - rule.interval * rule.burst
        if excess > .zero { return .refused(retryAfter: excess) }
        full = wanted
        return .allowed
    }
}
