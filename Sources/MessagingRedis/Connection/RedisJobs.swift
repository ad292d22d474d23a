import Dispatch
import Synchronization

/// A call that waits for a connection.
struct RedisJob: Sendable {
    let deadline: ContinuousClock.Instant
    /// Tries it; nil when it is answered, else why it may be tried again.
    let attempt: @Sendable (RedisSession) -> RedisError?
    /// Answers that it failed.
    let fail: @Sendable (RedisError) -> Void
}

/// What the tasks that call and the threads of a ``RedisPool`` share.
final class RedisJobs: Sendable {
    private struct State {
        var waiting: [RedisJob] = []
        var isClosed = false
        var pause: ReconnectPause
        /// Until when no connection is tried, and why.
        var refusal: (until: ContinuousClock.Instant, error: RedisError)?
    }

    private let capacity: Int
    private let state: Mutex<State>
    private let calls = DispatchSemaphore(value: 0)

    init(_ limits: RedisLimits, _ generator: any RandomNumberGenerator & Sendable) {
        capacity = limits.waiting
        state = Mutex(State(pause: ReconnectPause(limits, generator)))
    }

    /// Adds a call.
    /// - Returns: Why it was not added.
    func add(_ job: RedisJob) -> RedisError? {
        let refusal: RedisError? = state.withLock { state in
            if state.isClosed { return RedisError(.closed, "the connections to Redis were closed") }
            guard state.waiting.count < capacity else {
                return RedisError(.overloaded, "\(capacity) calls wait for Redis")
            }
            state.waiting.append(job)
            return nil
        }
        if refusal == nil { calls.signal() }
        return refusal
    }

    /// Waits for the next call; nil when it was closed and none is left. Blocks the thread.
    func next() -> RedisJob? {
        calls.wait()
        return state.withLock { $0.waiting.isEmpty ? nil : $0.waiting.removeFirst() }
    }

    func close(threads: Int) {
        let isFirst = state.withLock { state in
            defer { state.isClosed = true }
            return !state.isClosed
        }
        if isFirst { for _ in 0..<threads { calls.signal() } }
    }

    /// Why no connection is tried now; nil when one may be.
    var refusal: RedisError? {
        state.withLock { state in state.refusal.flatMap { ContinuousClock.now < $0.until ? $0.error : nil } }
    }

    func connected() {
        state.withLock { state in
            state.refusal = nil
            state.pause.reset()
        }
    }

    func failed(_ error: RedisError) {
        state.withLock { state in
            // Of several threads that fail at once, one counts.
            if let refusal = state.refusal, ContinuousClock.now < refusal.until { return }
            state.refusal = (ContinuousClock.now + state.pause.next(), error)
        }
    }
}
