import Dispatch
import Synchronization
import Testing

@testable import SyncClient

@Suite("Worker threads")
struct WorkerPoolTests {
    @Test("answers and errors come back, from as many jobs as there are")
    func jobs() async throws {
        let pool = WorkerPool(threads: 3)
        let sum = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 1...500 { group.addTask { try await pool.run { _ in number } } }
            return try await group.reduce(0, +)
        }
        #expect(sum == 500 * 501 / 2)
        await #expect(throws: PassKilled.self) { try await pool.run { _ in throw PassKilled() } }
    }

    @Test("a job whose task was cancelled before its turn is not run")
    func cancellation() async throws {
        let pool = WorkerPool(threads: 1)
        let gate = DispatchSemaphore(value: 0)
        let ran = Mutex(false)
        let first = Task { try await pool.run { _ in gate.wait() } }
        let second = Task { try await pool.run { _ in ran.withLock { $0 = true } } }
        second.cancel()
        gate.signal()
        try await first.value
        await #expect(throws: CancellationError.self) { try await second.value }
        #expect(!ran.withLock { $0 })
    }
}
