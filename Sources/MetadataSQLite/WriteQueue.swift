import Synchronization

/// The writes that wait, and whether somebody is working them off.
final class WriteQueue: Sendable {
    /// What became of a write that was to be queued.
    enum Admission: Equatable {
        /// It waits; somebody works the queue off.
        case queued
        /// It waits; the caller has to start working the queue off.
        case first
        /// There are too many.
        case full
        /// The database is closed.
        case closed
    }

    private struct State {
        var waiting: [any GroupedWrite] = []
        var next = 0
        var isRunning = false
        var isClosed = false

        mutating func take() -> (any GroupedWrite)? {
            guard next < waiting.count else { return nil }
            let write = waiting[next]
            next += 1
            // What was taken is cut off now and then, so that taking stays O(1) on average.
            if next == waiting.count || next >= 256 {
                waiting.removeFirst(next)
                next = 0
            }
            return write
        }
    }

    private let state = Mutex(State())
    private let limit: Int

    init(limit: Int) {
        self.limit = limit
    }

    /// How many writes wait.
    var count: Int { state.withLock { $0.waiting.count - $0.next } }

    func add(_ write: any GroupedWrite) -> Admission {
        state.withLock { state in
            if state.isClosed { return .closed }
            if state.waiting.count - state.next >= limit { return .full }
            state.waiting.append(write)
            if state.isRunning { return .queued }
            state.isRunning = true
            return .first
        }
    }

    /// Takes the write that has waited longest; nil when none waits. The one who works the queue off goes on doing so.
    func take() -> (any GroupedWrite)? {
        state.withLock { $0.take() }
    }

    /// The same, but when none waits the work is over: the next that comes has to start it anew.
    func takeOrStop() -> (any GroupedWrite)? {
        state.withLock { state in
            let write = state.take()
            if write == nil { state.isRunning = false }
            return write
        }
    }

    /// Lets no more writes in. Tells whether this call was the one that did it.
    func close() -> Bool {
        state.withLock { state in
            defer { state.isClosed = true }
            return !state.isClosed
        }
    }

    /// Whether no more writes are let in.
    var isClosed: Bool { state.withLock { $0.isClosed } }
}
