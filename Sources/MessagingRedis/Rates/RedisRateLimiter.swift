public import Messaging
import Synchronization

/// The buckets of several servers, on Redis. The time is that of Redis. While it does not answer, each server keeps buckets of
/// its own.
public final class RedisRateLimiter: RateLimiter {
    private let pool: RedisPool
    private let prefix: String
    private let own: MemoryRateLimiter
    private let elapsed: @Sendable () -> Duration
    private let report: @Sendable (RedisAvailability) -> Void
    private let breaker: Mutex<CircuitBreaker>

    /// `interval burst tokens`, times in microseconds: 0 when they were taken, else for how long they are not there. The key
    /// holds the moment at which the bucket is full, and goes then.
    private static let script = """
        local time = redis.call('TIME')
        local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
        local interval, burst, tokens = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
        local full = tonumber(redis.call('GET', KEYS[1]) or '0') or 0
        local wanted = math.max(full, now) + interval * tokens
        local excess = wanted - now - interval * burst
        if excess > 0 then return excess end
        redis.call('SET', KEYS[1], string.format('%.0f', wanted), 'PX', math.ceil((wanted - now) / 1000) + 1)
        return 0
        """

    /// Makes a limiter; Redis need not be there.
    /// - Parameters:
    ///   - endpoint: the server. Its limits should be short: a request waits for them before it is left alone.
    ///   - prefix: what the names of its keys begin with.
    ///   - generator: where the jitter of pauses comes from.
    ///   - elapsed: the time since any fixed moment, never going back.
    ///   - report: told when Redis is left alone and when it answers again, on any thread.
    public init(
        _ endpoint: RedisEndpoint, prefix: String = "cairn:rate:", generator: some RandomNumberGenerator & Sendable,
        elapsed: @escaping @Sendable () -> Duration, report: @escaping @Sendable (RedisAvailability) -> Void = { _ in }
    ) {
        pool = RedisPool(endpoint, "cairn-redis-rates", generator: generator)
        self.prefix = prefix
        self.elapsed = elapsed
        self.report = report
        own = MemoryRateLimiter(elapsed: elapsed)
        breaker = Mutex(CircuitBreaker(tolerance: 1, pause: .seconds(2)))
    }

    /// Takes tokens, if they are all there.
    public func take(_ tokens: Int, of key: String, by rule: RateRule) async -> RateVerdict {
        let name = prefix + key
        if mayCall() {
            let words = [rule.interval.microseconds, Int64(rule.burst), Int64(min(max(tokens, 0), rule.burst))]
            do {
                let wait = try await pool.perform { session in
                    try session.run(Self.script, key: name, words.map { Array("\($0)".utf8) }).integer()
                }
                succeeded()
                return wait == 0 ? .allowed : .refused(retryAfter: .microseconds(wait))
            } catch {
                // The own buckets stand in; that Redis is out is known to the breaker.
                failed(error)
            }
        }
        return await own.take(tokens, of: key, by: rule)
    }

    /// Fills the bucket of a key, everywhere.
    public func refill(_ key: String) async {
        let name = prefix + key
        await own.refill(key)
        guard mayCall() else { return }
        do {
            _ = try await pool.perform { session in try session.call(["DEL", name]) }
            succeeded()
        } catch {
            // The bucket fills by itself, with time.
            failed(error)
        }
    }

    /// Whether Redis is left alone now, so that this server counts by itself.
    public var isLeftAlone: Bool { breaker.withLock { $0.isOpen } }

    /// Waits for the calls that run, then hangs up.
    public func close() async { await pool.close() }

    /// Whether Redis may be asked. Has it probed when that is due.
    private func mayCall() -> Bool {
        let now = elapsed()
        let word = breaker.withLock { $0.ask(at: now) }
        if word == .probe { probe() }
        return word == .call
    }

    private func probe() {
        pool.submit { session in
            _ = try session.call(["PING"])
        } done: { [weak self] result in
            switch result {
            case .success: self?.succeeded()
            case .failure(let error): self?.failed(error)
            }
        }
    }

    private func succeeded() {
        if breaker.withLock({ $0.succeeded() }) { report(.back) }
    }

    private func failed(_ error: any Error) {
        if (error as? RedisError)?.code == .overloaded { return }
        let now = elapsed()
        if breaker.withLock({ $0.failed(at: now) }) { report(.away("\(error)")) }
    }
}

extension Duration {
    /// Whole microseconds, rounded up.
    fileprivate var microseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000 + (attoseconds + 999_999_999_999) / 1_000_000_000_000
    }
}
