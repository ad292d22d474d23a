import Foundation

/// A lock for values that are not `Sendable` and are used from worker threads, one at a time.
final class ThreadLock: Sendable {
    private let lock = NSLock()

    func with<Answer>(_ body: () throws -> Answer) rethrows -> Answer {
        lock.lock()
        defer { lock.unlock() }
        return try body()
    }
}
