import Dispatch
import Foundation

/// The calls that wait for the threads of the pool.
///
/// `@unchecked Sendable`: all variables are touched only under the condition's lock.
final class CallQueue: @unchecked Sendable {
    /// What became of a call that was to be queued.
    enum Admission: Equatable {
        case queued, full, closed
    }

    private let condition = NSCondition()
    private let limit: Int
    private var schedule: CallSchedule
    private var closed = false
    private var threads = 0
    private var idle = 0
    private var onceEnded: [@Sendable () -> Void] = []
    /// Wakes the threads that pause, when the queue is closed.
    private let closing = DispatchSemaphore(value: 0)

    init(connections: Int, limit: Int) {
        self.limit = limit
        threads = connections
        schedule = CallSchedule(connections: connections)
    }

    private func locked<Result>(_ body: () -> Result) -> Result {
        condition.lock()
        defer { condition.unlock() }
        return body()
    }

    /// How many calls wait.
    var count: Int { locked { schedule.count } }

    /// Whether no more calls are let in.
    var isClosed: Bool { locked { closed } }

    func add(_ call: any PoolCall) -> Admission {
        locked {
            if closed { return .closed }
            if schedule.count >= limit { return .full }
            schedule.add(call)
            wakeOne()
            return .queued
        }
    }

    /// Waits for a call that may run; nil when the queue is closed and nothing waits any more.
    func take() -> (any PoolCall)? {
        locked {
            while true {
                if let call = schedule.take() {
                    wakeOne()
                    return call
                }
                if closed && schedule.count == 0 { return nil }
                idle += 1
                condition.wait()
                idle -= 1
            }
        }
    }

    /// Notes that a call no longer runs. One that others were in the way of comes back, also when the queue is closed or
    /// full: it was let in already.
    func end(_ call: any PoolCall, wasRepeated: Bool, comesBack: Bool) {
        locked {
            schedule.end(call.kind, wasRepeated: wasRepeated)
            if comesBack { schedule.add(call) }
            // The thread that calls this takes the next one itself; the last of a closed queue sends all home.
            if closed { condition.broadcast() }
        }
    }

    private func wakeOne() {
        if idle > 0, schedule.hasNext { condition.signal() }
    }

    /// Waits, but not beyond the moment in which the queue is closed.
    func pause(for duration: Duration) {
        if closing.wait(timeout: .now() + .milliseconds(Int(clamping: duration.milliseconds))) == .success {
            // It is for all who pause, now and later.
            closing.signal()
        }
    }

    /// Lets no more calls in.
    func close() {
        locked {
            if closed { return }
            closed = true
            closing.signal()
            condition.broadcast()
        }
    }

    /// Notes that a thread has ended.
    func threadEnded() {
        let waiting = locked {
            threads -= 1
            defer { if threads == 0 { onceEnded = [] } }
            return threads == 0 ? onceEnded : []
        }
        for body in waiting { body() }
    }

    /// Calls a body when all threads have ended, at once when they have already.
    func whenEnded(_ body: @escaping @Sendable () -> Void) {
        let isOver = locked {
            if threads > 0 { onceEnded.append(body) }
            return threads == 0
        }
        if isOver { body() }
    }
}
