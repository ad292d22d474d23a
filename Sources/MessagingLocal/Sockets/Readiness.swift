import Glibc

/// Waits for many descriptors at once.
struct Readiness {
    private var entries: [pollfd] = []

    /// Adds a descriptor.
    /// - Returns: Where to ask after it.
    @discardableResult
    mutating func add(_ descriptor: Int32, writing: Bool = false) -> Int {
        let events = Int16(POLLIN) | (writing ? Int16(POLLOUT) : 0)
        entries.append(pollfd(fd: descriptor, events: events, revents: 0))
        return entries.count - 1
    }

    /// Waits until one of them is ready, for as long as `patience` at most; without end when it is nil.
    mutating func wait(_ patience: Duration?) {
        let milliseconds = patience.map { duration in
            let (seconds, attoseconds) = duration.components
            let whole = max(0, seconds) * 1000 + (max(0, attoseconds) + 999_999_999_999_999) / 1_000_000_000_000_000
            return Int32(clamping: whole)
        }
        _ = poll(&entries, nfds_t(entries.count), milliseconds ?? -1)
    }

    /// Whether there is something to read, or to learn of a connection that is gone.
    func canRead(_ index: Int) -> Bool { entries[index].revents & ~Int16(POLLOUT) != 0 }

    /// Whether there is room to write.
    func canWrite(_ index: Int) -> Bool { entries[index].revents & Int16(POLLOUT) != 0 }
}
