import Synchronization

/// The threads of a reactor on their way: how many have ended, and why when they should not have.
final class RunningLoops: Sendable {
    private struct State {
        var left: Int
        var failure: ReactorError?
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state: Mutex<State>

    /// Awaits the end of so many threads.
    init(count: Int) {
        state = Mutex(State(left: count))
    }

    /// One thread has ended.
    func hasEnded(_ failure: ReactorError?) {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.left -= 1
            state.failure = state.failure ?? failure
            guard state.left == 0 else { return nil }
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
                if state.left > 0 { state.waiter = continuation }
                return state.left == 0
            }
            if isOver { continuation.resume() }
        }
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }
}
