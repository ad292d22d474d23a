import Synchronization

/// Bounds the memory of requests: who needs much of it takes a share first, and waits in turn until there is one.
///
/// So the memory of the process does not grow with the number of clients, only their waiting does.
public final class MemoryBudget: Sendable {
    fileprivate struct Waiter: Sendable {
        let ticket: UInt64
        let bytes: Int
        let continuation: CheckedContinuation<MemoryShare, any Error>
    }

    fileprivate struct State: Sendable {
        var free: Int
        var waiting: [Waiter] = []
        var lastTicket: UInt64 = 0
    }

    private enum Verdict {
        case granted
        case queued
        case refused
        case cancelled
    }

    /// All that there is to share, in bytes.
    public let capacity: Int
    private let bound: Int
    private let state: Mutex<State>

    /// Makes a budget of so many bytes, for whose shares at most `waiting` may wait.
    public init(_ capacity: Int, waiting: Int = 512) {
        precondition(capacity > 0, "a budget of nothing")
        self.capacity = capacity
        bound = waiting
        state = Mutex(State(free: capacity))
    }

    /// How many bytes are not given out.
    public var free: Int { state.withLock(\.free) }

    /// How many wait for a share.
    public var waitingCount: Int { state.withLock(\.waiting.count) }

    /// Takes a share, which is given back when nobody holds it any more. Shares are given in the order in which they
    /// are asked for. Who asks for more than there is at all gets everything.
    /// - Throws: ``FilesError`` `unavailable` when too many wait, `CancellationError`.
    public func take(_ bytes: Int) async throws -> MemoryShare {
        let bytes = min(max(bytes, 0), capacity)
        let ticket = state.withLock { state in
            state.lastTicket += 1
            return state.lastTicket
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let waiter = Waiter(ticket: ticket, bytes: bytes, continuation: continuation)
                switch admit(waiter) {
                case .granted: continuation.resume(returning: MemoryShare(bytes, of: self))
                case .queued: break
                case .refused:
                    continuation.resume(
                        throwing: FilesError(.unavailable, "too many requests wait for memory", retryAfter: 2))
                case .cancelled: continuation.resume(throwing: CancellationError())
                }
            }
        } onCancel: {
            abandon(ticket)
        }
    }

    private func admit(_ waiter: Waiter) -> Verdict {
        // A task is marked as cancelled before its handler runs, so one of the two sees the other under the lock.
        state.withLock { state in
            if Task.isCancelled { return .cancelled }
            if state.waiting.isEmpty, state.free >= waiter.bytes {
                state.free -= waiter.bytes
                return .granted
            }
            guard state.waiting.count < bound else { return .refused }
            state.waiting.append(waiter)
            return .queued
        }
    }

    private func abandon(_ ticket: UInt64) {
        let (gone, next) = state.withLock { state -> (Waiter?, [Waiter]) in
            guard let place = state.waiting.firstIndex(where: { $0.ticket == ticket }) else { return (nil, []) }
            let gone = state.waiting.remove(at: place)
            // It may have been what the others waited behind.
            return (gone, state.grant())
        }
        gone?.continuation.resume(throwing: CancellationError())
        resume(next)
    }

    fileprivate func giveBack(_ bytes: Int) {
        resume(
            state.withLock { state in
                state.free += bytes
                return state.grant()
            })
    }

    private func resume(_ waiters: [Waiter]) {
        for waiter in waiters { waiter.continuation.resume(returning: MemoryShare(waiter.bytes, of: self)) }
    }
}

extension MemoryBudget.State {
    /// Takes those off the queue, from its front, for whom there is enough.
    fileprivate mutating func grant() -> [MemoryBudget.Waiter] {
        let count = waiting.firstIndex { waiter in
            guard free >= waiter.bytes else { return true }
            free -= waiter.bytes
            return false
        }
        let granted = Array(waiting[..<(count ?? waiting.count)])
        waiting.removeFirst(granted.count)
        return granted
    }
}

/// A share of a ``MemoryBudget``, given back when it is let go.
public final class MemoryShare: Sendable {
    /// How much it is.
    public let bytes: Int
    private let budget: MemoryBudget

    fileprivate init(_ bytes: Int, of budget: MemoryBudget) {
        self.bytes = bytes
        self.budget = budget
    }

    deinit { budget.giveBack(bytes) }
}
