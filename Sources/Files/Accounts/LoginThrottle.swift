/// Slows down guessing: after a few failures each further one doubles the wait, for the account and for the address.
///
/// A pure state machine: times are seconds from any fixed moment. The table is bounded; when it is full, what
/// has been quiet the longest is forgotten first.
public struct LoginThrottle: Sendable {
    private struct Entry: Sendable {
        var failures: Int
        var last: Int64
        var until: Int64
    }

    private let capacity: Int
    private var entries: [String: Entry] = [:]

    /// How many failures are free: people mistype.
    static let free = 4
    /// The longest wait, in seconds.
    static let longest: Int64 = 900
    /// After this many quiet seconds a failure is forgotten.
    static let memory: Int64 = 3600

    /// Makes a table of at most `capacity` accounts and addresses.
    public init(capacity: Int = 20_000) {
        self.capacity = capacity
    }

    /// How many seconds to wait before another attempt with any of these keys; 0 when it may be made now.
    public func wait(_ keys: [String], now: Int64) -> Int64 {
        keys.compactMap { entries[$0] }.map { max(0, $0.until - now) }.max() ?? 0
    }

    /// Notes that an attempt begins. It counts as failed until ``succeeded(_:)``, so that attempts at the same time
    /// are bounded too.
    public mutating func began(_ keys: [String], now: Int64) {
        for key in keys {
            var entry = entries[key] ?? Entry(failures: 0, last: now, until: now)
            if now - entry.last > Self.memory { entry.failures = 0 }
            entry.failures += 1
            entry.last = now
            let excess = entry.failures - Self.free
            entry.until = excess > 0 ? now + min(Self.longest, 1 << min(Int64(excess - 1), 20)) : now
            entries[key] = entry
        }
        if entries.count > capacity { forget(now) }
    }

    /// Notes that an attempt was right: its keys start anew.
    public mutating func succeeded(_ keys: [String]) {
        for key in keys { entries[key] = nil }
    }

    private mutating func forget(_ now: Int64) {
        entries = entries.filter { now - $0.value.last <= Self.memory }
        guard entries.count > capacity else { return }
        // A tenth at once, so that the sort is paid for once in many attempts.
        for (key, _) in entries.sorted(by: { $0.value.last < $1.value.last }).prefix(
            entries.count - capacity + capacity / 10)
        {
            entries[key] = nil
        }
    }
}
