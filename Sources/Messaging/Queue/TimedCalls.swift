import Synchronization

/// Calls to a storage that may hang: whoever waits does so for a bounded time, and few calls are left behind.
///
/// A disk that hangs can't be cancelled. So a call runs in a task of its own that may outlive the one who waits for it;
/// how many do so at once is bounded, and past the bound calls fail at once.
final class TimedCalls: Sendable {
    /// Whom the answer of a call goes to; taken by the first that has one.
    private final class Waiter<Answer: Sendable>: Sendable {
        private let continuation: Mutex<CheckedContinuation<Answer, any Error>?>

        init(_ continuation: CheckedContinuation<Answer, any Error>) {
            self.continuation = Mutex(continuation)
        }

        func resume(_ result: Result<Answer, any Error>) {
            continuation.withLock { $0.take() }?.resume(with: result)
        }
    }

    private let running = Mutex(0)
    private let limit: Int
    private let pause: @Sendable (Duration) async throws -> Void

    /// Makes a gate.
    /// - Parameters:
    ///   - limit: the most calls that run at once.
    ///   - pause: waits for a duration; it ends early, with an error, when its task is cancelled.
    init(limit: Int, pause: @escaping @Sendable (Duration) async throws -> Void) {
        self.limit = limit
        self.pause = pause
    }

    /// Makes a call and waits for its answer, at most for a duration. A call that takes longer goes on by itself.
    /// - Throws: what the call throws; ``QueueError`` `timedOut`, `overloaded`.
    func perform<Answer: Sendable>(
        within duration: Duration, _ call: @escaping @Sendable () async throws -> Answer
    ) async throws -> Answer {
        let isLetIn = running.withLock { running in
            guard running < limit else { return false }
            running += 1
            return true
        }
        guard isLetIn else { throw QueueError(.overloaded, "\(limit) calls wait for the storage of the queue") }
        return try await withCheckedThrowingContinuation { continuation in
            let waiter = Waiter(continuation)
            let alarm = Task { [pause] in
                try await pause(duration)
                waiter.resume(.failure(QueueError(.timedOut, "the storage of the queue did not answer in \(duration)")))
            }
            Task { [self] in
                do {
                    waiter.resume(.success(try await call()))
                } catch {
                    waiter.resume(.failure(error))
                }
                alarm.cancel()
                running.withLock { $0 -= 1 }
            }
        }
    }
}
