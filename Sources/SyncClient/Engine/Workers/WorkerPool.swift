import Foundation
import Synchronization

/// Threads of the client's own for work that takes the processor or waits for a disk, so that the cooperative pool,
/// which has as many threads as cores, never stands still.
public final class WorkerPool: Sendable {
    private let queue = WorkQueue()

    /// Starts the threads.
    /// - Parameter threads: How many; at least 1. They end when the pool goes.
    public init(threads: Int) {
        precondition(threads > 0, "a pool needs a thread")
        for number in 0..<threads {
            let thread = Thread { [queue] in
                let worker = Worker()
                while let job = queue.next() { job(worker) }
            }
            thread.name = "cairn-work-\(number)"
            thread.stackSize = 1 << 20
            thread.start()
        }
    }

    deinit {
        queue.close()
    }

    /// Runs a body on one of the threads.
    /// - Parameter body: Gets the thread's own tools; they may not leave it.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws, or `CancellationError` when the task was cancelled before a thread was free.
    public func run<Result: Sendable>(
        _ body: @escaping @Sendable (Worker) throws -> Result
    ) async throws -> Result {
        let cancelled = Atomic(false)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                queue.add { worker in
                    if cancelled.load(ordering: .acquiring) {
                        continuation.resume(throwing: CancellationError())
                    } else {
                        continuation.resume(with: Swift.Result { try body(worker) })
                    }
                }
            }
        } onCancel: {
            cancelled.store(true, ordering: .releasing)
        }
    }
}

/// Jobs in the order in which they came.
///
/// `@unchecked`: `jobs` and `isClosed` are touched only under the condition's lock.
private final class WorkQueue: @unchecked Sendable {
    private let condition = NSCondition()
    private var jobs: [@Sendable (Worker) -> Void] = []
    private var head = 0
    private var isClosed = false

    func add(_ job: @escaping @Sendable (Worker) -> Void) {
        condition.lock()
        defer { condition.unlock() }
        jobs.append(job)
        condition.signal()
    }

    /// Waits for a job; nil when the pool goes and every job is done.
    func next() -> (@Sendable (Worker) -> Void)? {
        condition.lock()
        defer { condition.unlock() }
        while head == jobs.count {
            if isClosed { return nil }
            jobs.removeAll(keepingCapacity: true)
            head = 0
            condition.wait()
        }
        defer { head += 1 }
        return jobs[head]
    }

    func close() {
        condition.lock()
        defer { condition.unlock() }
        isClosed = true
        condition.broadcast()
    }
}
