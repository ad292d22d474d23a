import Synchronization

/// The buckets of one process.
public final class MemoryRateLimiter: RateLimiter {
    private let capacity: Int
    private let elapsed: @Sendable () -> Duration
    private let buckets = Mutex<[String: TokenBucket]>([:])

    /// Makes a limiter.
    /// - Parameters:
    ///   - capacity: the most keys that are kept; when there are more, those go first whose buckets are the fullest.
    ///   - elapsed: the time since any fixed moment, never going back.
    public init(capacity: Int = 100_000, elapsed: @escaping @Sendable () -> Duration) {
        self.capacity = max(1, capacity)
        self.elapsed = elapsed
    }

    /// How many keys are kept.
    public var count: Int { buckets.withLock { $0.count } }

    /// Takes tokens, if they are all there.
    public func take(_ tokens: Int, of key: String, by rule: RateRule) async -> RateVerdict {
        let now = elapsed()
        return buckets.withLock { buckets in
            var bucket = buckets[key] ?? TokenBucket(at: now)
            let verdict = bucket.take(tokens, by: rule, at: now)
            buckets[key] = bucket
            if buckets.count > capacity { Self.forget(&buckets, to: capacity, at: now) }
            return verdict
        }
    }

    /// Fills the bucket of a key.
    public func refill(_ key: String) async { buckets.withLock { _ = $0.removeValue(forKey: key) } }

    private static func forget(_ buckets: inout [String: TokenBucket], to capacity: Int, at now: Duration) {
        buckets = buckets.filter { $0.value.full > now }
        guard buckets.count > capacity else { return }
        // A tenth more at once, so that the sort is paid for once in many calls.
        let excess = buckets.count - capacity + capacity / 10
        for (key, _) in buckets.sorted(by: { $0.value.full < $1.value.full }).prefix(excess) { buckets[key] = nil }
    }
}
