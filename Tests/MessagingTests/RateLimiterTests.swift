import Messaging
import Synchronization
import Testing

/// Buckets of tokens, and the limiter of one process.
@Suite struct RateLimiterTests {
    private final class Time: Sendable {
        private let state = Mutex(Duration.zero)
        var now: Duration { state.withLock { $0 } }
        func advance(by duration: Duration) { state.withLock { $0 += duration } }
    }

    private let rule = RateRule(burst: 3, interval: .seconds(10))

    @Test func `a bucket gives its burst, and then one after each interval`() {
        var bucket = TokenBucket(at: .seconds(5))
        for _ in 0..<3 { #expect(bucket.take(1, by: rule, at: .seconds(5)) == .allowed) }
        #expect(bucket.take(1, by: rule, at: .seconds(5)) == .refused(retryAfter: .seconds(10)))
        #expect(bucket.take(1, by: rule, at: .seconds(14)) == .refused(retryAfter: .seconds(1)))
        #expect(bucket.take(1, by: rule, at: .seconds(15)) == .allowed)
        #expect(bucket.take(2, by: rule, at: .seconds(15)) == .refused(retryAfter: .seconds(20)))
        // It holds no more than its burst, however long it was left.
        #expect(bucket.take(3, by: rule, at: .seconds(1000)) == .allowed)
        #expect(bucket.take(1, by: rule, at: .seconds(1000)) == .refused(retryAfter: .seconds(10)))
    }

    @Test func `a refusal takes nothing`() {
        var bucket = TokenBucket(at: .zero)
        #expect(bucket.take(2, by: rule, at: .zero) == .allowed)
        for _ in 0..<5 { #expect(bucket.take(2, by: rule, at: .zero) == .refused(retryAfter: .seconds(10))) }
        #expect(bucket.take(1, by: rule, at: .zero) == .allowed)
    }

    @Test func `more than the burst is taken for the burst, less than nothing for nothing`() {
        var bucket = TokenBucket(at: .zero)
        #expect(bucket.take(-4, by: rule, at: .zero) == .allowed)
        #expect(bucket.take(100, by: rule, at: .zero) == .allowed)
        #expect(bucket.take(100, by: rule, at: .zero) == .refused(retryAfter: .seconds(30)))
    }

    @Test func `keys are apart`() async {
        let time = Time()
        let limiter = MemoryRateLimiter(elapsed: { time.now })
        #expect(await limiter.take(3, of: "a", by: rule) == .allowed)
        #expect(await limiter.take(1, of: "a", by: rule) == .refused(retryAfter: .seconds(10)))
        #expect(await limiter.take(3, of: "b", by: rule) == .allowed)
        time.advance(by: .seconds(10))
        #expect(await limiter.take(1, of: "a", by: rule) == .allowed)
    }

    @Test func `a bucket can be filled, and that is no other's`() async {
        let limiter = MemoryRateLimiter(elapsed: { .zero })
        for key in ["a", "b"] { #expect(await limiter.take(3, of: key, by: rule) == .allowed) }
        await limiter.refill("a")
        await limiter.refill("never used")
        #expect(await limiter.take(3, of: "a", by: rule) == .allowed)
        #expect(await limiter.take(1, of: "b", by: rule) == .refused(retryAfter: .seconds(10)))
    }

    @Test func `the table is bounded, and keeps those that took the most`() async {
        let time = Time()
        let limiter = MemoryRateLimiter(capacity: 100, elapsed: { time.now })
        #expect(await limiter.take(3, of: "greedy", by: rule) == .allowed)
        for number in 0..<1000 {
            _ = await limiter.take(1, of: "\(number)", by: rule)
            #expect(limiter.count <= 100)
        }
        #expect(await limiter.take(1, of: "greedy", by: rule) == .refused(retryAfter: .seconds(10)))
        // Full buckets are as none.
        time.advance(by: .seconds(100))
        for number in 0..<200 { _ = await limiter.take(1, of: "later \(number)", by: rule) }
        #expect(await limiter.take(3, of: "greedy", by: rule) == .allowed)
    }

    @Test func `tasks at once get no more than there is`() async {
        let limiter = MemoryRateLimiter(elapsed: { .zero })
        let allowed = await withTaskGroup(of: RateVerdict.self) { group in
            for _ in 0..<50 { group.addTask { await limiter.take(1, of: "a", by: rule) } }
            return await group.reduce(into: 0) { $0 += $1 == .allowed ? 1 : 0 }
        }
        #expect(allowed == 3)
    }
}
