import Synchronization

/// The threads of a reactor on their way: how many have begun, how many have ended, and why when they should not have.
final class RunningLoops: Sendable {
    /// Threads that something is awaited of, by one caller.
    private struct Awaited {
        var left: Int
        var waiter: CheckedContinuation<Void, Never>?

        /// Counts one off; who is to be told that it was the last.
        mutating func countOff() -> CheckedContinuation<Void, Never>? {
            left -= 1
            guard left == 0 else { return nil }
            defer { waiter = nil }
            return waiter
        }
    }

    private let beginnings: Mutex<Awaited>
    private let ends: Mutex<Awaited>
    private let failure = Mutex<ReactorError?>(nil)

    /// Awaits that so many threads begin and end.
    init(count: Int) {
        beginnings = Mutex(Awaited(left: count))
        ends = Mutex(Awaited(left: count))
    }

    /// One thread has what it needs of what the others opened, or will never need it.
    func hasBegun() {
        beginnings.withLock { $0.countOff() }?.resume()
    }

    /// One thread has ended.
    func hasEnded(_ failure: ReactorError?) {
        self.failure.withLock { $0 = $0 ?? failure }
        ends.withLock { $0.countOff() }?.resume()
    }

    /// Waits until all have begun.
    func allBegun() async { await Self.wait(for: beginnings) }

    /// Waits until all have ended.
    /// - Throws: The first failure.
    func allEnded() async throws(ReactorError) {
        await Self.wait(for: ends)
        if let failure = failure.withLock({ $0 }) { throw failure }
    }

    private static func wait(for awaited: borrowing Mutex<Awaited>) async {
        await withCheckedContinuation { continuation in
            let isOver = awaited.withLock { awaited in
                if awaited.left > 0 { awaited.waiter = continuation }
                return awaited.left == 0
            }
            if isOver { continuation.resume() }
        }
    }
}
