import Synchronization

/// A cache in the memory of one process. What was used the longest time ago goes first.
public final class MemoryMetadataCache: MetadataCache {
    private struct Entry {
        var bytes: [UInt8]
        var end: Duration
        /// When it was used last: the number of that use.
        var use: UInt64
    }

    private struct State {
        var entries: [MetadataCacheKey: Entry] = [:]
        /// The keys by their last use, with uses that are no longer the last among them; `start` is the first that counts.
        var uses: [(use: UInt64, key: MetadataCacheKey)] = []
        var start = 0
        var use: UInt64 = 0
        var size = 0
        var counts = MetadataCacheCounts()

        mutating func touch(_ key: MetadataCacheKey) {
            use += 1
            entries[key]?.use = use
            uses.append((use, key))
            // Each entry has one use that counts: what is more than twice as long is half of it waste.
            if uses.count - start > 2 * entries.count + 64 {
                uses = uses[start...].filter { entries[$0.key]?.use == $0.use }
                start = 0
            }
        }

        mutating func remove(_ key: MetadataCacheKey) {
            guard let entry = entries.removeValue(forKey: key) else { return }
            size -= MemoryMetadataCache.size(key, entry.bytes)
        }

        mutating func shrink(to capacity: Int) {
            while size > capacity, start < uses.count {
                let oldest = uses[start]
                start += 1
                if entries[oldest.key]?.use == oldest.use { remove(oldest.key) }
            }
        }
    }

    private let capacity: Int
    private let lifetime: Duration
    private let elapsed: @Sendable () -> Duration
    private let state = Mutex(State())

    /// Makes an empty cache.
    /// - Parameters:
    ///   - capacity: the most bytes of keys and entries together, with 128 for each on top.
    ///   - lifetime: for how long an entry is kept.
    ///   - elapsed: the time since any fixed moment, never going back.
    public init(capacity: Int, lifetime: Duration, elapsed: @escaping @Sendable () -> Duration) {
        self.capacity = capacity
        self.lifetime = lifetime
        self.elapsed = elapsed
    }

    /// Always.
    public var isUseful: Bool { true }

    /// What was asked so far.
    public var counts: MetadataCacheCounts { state.withLock { $0.counts } }

    /// How many bytes its entries count.
    public var size: Int { state.withLock { $0.size } }

    /// What is there for some of the keys.
    public func get(_ keys: [MetadataCacheKey]) async -> [MetadataCacheKey: [UInt8]] {
        let now = elapsed()
        return state.withLock { state in
            var found: [MetadataCacheKey: [UInt8]] = [:]
            for key in keys {
                guard let entry = state.entries[key] else { continue }
                if entry.end <= now {
                    state.remove(key)
                } else {
                    state.touch(key)
                    found[key] = entry.bytes
                }
            }
            state.counts.hits += found.count
            state.counts.misses += keys.count - found.count
            return found
        }
    }

    /// Keeps entries. One that is larger than an eighth of the capacity is not kept.
    public func put(_ entries: [MetadataCacheKey: [UInt8]]) async {
        let end = elapsed() + lifetime
        state.withLock { state in
            for (key, bytes) in entries where Self.size(key, bytes) <= capacity / 8 {
                state.remove(key)
                state.entries[key] = Entry(bytes: bytes, end: end, use: 0)
                state.size += Self.size(key, bytes)
                state.touch(key)
            }
            state.shrink(to: capacity)
        }
    }

    private static func size(_ key: MetadataCacheKey, _ bytes: [UInt8]) -> Int { key.bytes.count + bytes.count + 128 }
}
