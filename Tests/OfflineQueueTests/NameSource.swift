import Synchronization

/// Gives out names that are all different.
final class NameSource: Sendable {
    private let count = Mutex(0)

    func next() -> String {
        count.withLock { count in
            count += 1
            return "queue-\(count).db"
        }
    }
}
