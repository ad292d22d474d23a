import Synchronization

/// The threads of a reactor on their way: how many have begun, how many have ended, and why when they should not have.
final class RunningLoops: Sendable {
    private struct State {
        var beginning: Int
        var running: Int
        var failure: ReactorError?
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state: Mutex<State>
    private let onceBegun: @Sendable () -> Void

    /// Counts `count` threads; `onceBegun` is called when each has begun, or failed to.
    init(count: Int, onceBegun: @escaping @Sendable () -> Void) {
        state = Mutex(State(beginning: count, running: count))
        self.onceBegun = onceBegun
    }

    /// One thread needs nothing any more of what the others opened.
    func hasBegun() {
        let isLast = state.withLock { state in
            state.beginning -= 1
            return state.beginning == 0
        }
        if isLast { onceBegun() }
    }

    /// One thread has ended.
    func hasEnded(_ failure: ReactorError?) {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.running -= 1
            state.failure = state.failure ?? failure
            guard state.running == 0 else { return nil }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Waits until all have ended; for one caller.
    /// - Throws: The first failure.
    func allEnded() async throws(ReactorError) {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if state.running > 0 { state.waiter = continuation }
                return state.running == 0
            }
            if isOver { continuation.resume() }
        }
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }
}
