public import Metadata
import Synchronization

/// A cache on a Redis server, which several servers of ours share.
///
/// Entries have a lifetime, and Redis bounds their number: with `maxmemory-policy volatile-lru` those go first that
/// were not used for the longest time, and nothing else does. Every entry carries its key and a checksum. After a few
/// failures in a row Redis is left alone for a while, and what is asked for is not there; it is tried again by a call
/// that nobody waits for.
public final class RedisMetadataCache: MetadataCache {
    /// How a cache is kept.
    public struct Options: Hashable, Sendable {
        /// What the names of its keys begin with.
        public var prefix = "cairn:cache:"
        /// For how long an entry is kept: a day by default.
        public var lifetime = Duration.seconds(86_400)
        /// The most bytes of an entry: 1 MiB by default. A larger one is not kept.
        public var largest = 1 << 20
        /// How many failures in a row open the breaker: 2 by default.
        public var tolerance = 2
        /// For how long it stays open: 5 seconds by default.
        public var pause = Duration.seconds(5)

        /// Makes the default options.
        public init() {}
    }

    private struct State {
        var breaker: CircuitBreaker
        var counts = MetadataCacheCounts()
    }

    private let pool: RedisPool
    private let options: Options
    private let elapsed: @Sendable () -> Duration
    private let report: @Sendable (RedisAvailability) -> Void
    private let state: Mutex<State>

    /// Makes a cache; Redis need not be there.
    /// - Parameters:
    ///   - endpoint: the server. Its limits should be short: a request waits for them before the breaker opens.
    ///   - options: how the cache is kept.
    ///   - generator: where the jitter of pauses comes from.
    ///   - elapsed: the time since any fixed moment, never going back.
    ///   - report: told when Redis is left alone and when it answers again, on any thread.
    public init(
        _ endpoint: RedisEndpoint, options: Options = Options(), generator: some RandomNumberGenerator & Sendable,
        elapsed: @escaping @Sendable () -> Duration, report: @escaping @Sendable (RedisAvailability) -> Void = { _ in }
    ) {
        self.options = options
        self.elapsed = elapsed
        self.report = report
        pool = RedisPool(endpoint, "cairn-redis-cache", generator: generator)
        state = Mutex(State(breaker: CircuitBreaker(tolerance: options.tolerance, pause: options.pause)))
    }

    /// Always.
    public var isUseful: Bool { true }

    /// What was asked so far.
    public var counts: MetadataCacheCounts { state.withLock { $0.counts } }

    /// Whether Redis is left alone now.
    public var isLeftAlone: Bool { state.withLock { $0.breaker.isOpen } }

    /// What is there for some of the keys.
    public func get(_ keys: [MetadataCacheKey]) async -> [MetadataCacheKey: [UInt8]] {
        guard !keys.isEmpty, mayCall() else { return [:] }
        let command = RedisCommand([Array("MGET".utf8)] + keys.map(name))
        let found: [RedisReply]
        do {
            found = try await pool.perform { session in try session.call(command).array() }
        } catch {
            note(error)
            return [:]
        }
        let entries = open(found, for: keys)
        let damaged = found.prefix(keys.count).count { $0 != .null } - entries.count
        succeeded()
        state.withLock { state in
            state.counts.hits += entries.count
            state.counts.misses += keys.count - entries.count
            state.counts.damaged += damaged
        }
        return entries
    }

    private func open(_ found: [RedisReply], for keys: [MetadataCacheKey]) -> [MetadataCacheKey: [UInt8]] {
        var entries: [MetadataCacheKey: [UInt8]] = [:]
        for (key, reply) in zip(keys, found) {
            if case .bytes(let bytes) = reply, let entry = CacheEnvelope.open(bytes, for: key) { entries[key] = entry }
        }
        return entries
    }

    /// Has entries kept, and does not wait for it.
    public func put(_ entries: [MetadataCacheKey: [UInt8]]) async {
        let lifetime = Array("\(max(1, options.lifetime.milliseconds))".utf8)
        let commands = entries.filter { $0.value.count <= options.largest }.map { key, entry in
            RedisCommand([
                Array("SET".utf8), name(key), CacheEnvelope.seal(entry, for: key), Array("PX".utf8), lifetime,
            ])
        }
        guard !commands.isEmpty, mayCall() else { return }
        pool.submit { session in
            for reply in try session.pipeline(commands) {
                if case .error(let message) = reply { throw RedisError(answer: message) }
            }
        } done: { [weak self] result in
            self?.note(result)
        }
    }

    /// Waits for the calls that run, then hangs up.
    public func close() async { await pool.close() }

    private func name(_ key: MetadataCacheKey) -> [UInt8] { Array(options.prefix.utf8) + key.bytes }

    /// Whether Redis may be asked. Has it probed when that is due.
    private func mayCall() -> Bool {
        let now = elapsed()
        switch state.withLock({ $0.breaker.ask(at: now) }) {
        case .call: return true
        case .refrain: return false
        case .probe:
            pool.submit { session in
                _ = try session.call(["PING"])
            } done: { [weak self] result in
                self?.note(result)
            }
            return false
        }
    }

    private func note(_ result: Result<Void, any Error>) {
        switch result {
        case .success: succeeded()
        case .failure(let error): note(error)
        }
    }

    private func succeeded() {
        if state.withLock({ $0.breaker.succeeded() }) { report(.back) }
    }

    private func note(_ error: any Error) {
        let now = elapsed()
        let isNews = state.withLock { state in
            state.counts.failures += 1
            // That many wait says that there is much to do, not that nothing is done.
            return (error as? RedisError)?.code != .overloaded && state.breaker.failed(at: now)
        }
        if isNews { report(.away("\(error)")) }
    }
}
