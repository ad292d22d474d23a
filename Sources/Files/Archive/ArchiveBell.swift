import Synchronization

/// Wakes whoever serves requests for what lies in the archive. Rings that come while it is at work are one.
public final class ArchiveBell: Sendable {
    private struct State {
        var isRung = false
        var next: UInt64 = 0
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var cancelled: Set<UInt64> = []
    }

    private let state = Mutex(State())

    init() {}

    /// Waits for the next ring; there may have been one already since the last. It ends early when its task is cancelled, and
    /// can be called again after that.
    public func wait() async {
        let id = state.withLock { state in
            state.next += 1
            return state.next
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let isOver = state.withLock { state in
                    if state.isRung || state.cancelled.remove(id) != nil {
                        state.isRung = false
                        return true
                    }
                    state.waiters[id] = waiter
                    return false
                }
                if isOver { waiter.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                let waiter = state.waiters.removeValue(forKey: id)
                if waiter == nil { state.cancelled.insert(id) }
                return waiter
            }
            waiter?.resume()
        }
        state.withLock { _ = $0.cancelled.remove(id) }
    }

    /// Wakes who waits, or who comes next.
    func ring() {
        let waiters = state.withLock { state in
            defer { state.waiters = [:] }
            state.isRung = state.waiters.isEmpty
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.resume() }
    }
}
