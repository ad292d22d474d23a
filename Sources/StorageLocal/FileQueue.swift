import Dispatch
import Synchronization

/// Threads of their own for calls that block, so that a slow disk never holds up a thread of the cooperative pool.
final class FileQueue: Sendable {
    private let queues: [DispatchQueue]
    private let next = Atomic<Int>(0)

    /// Makes a number of threads, each of which does one thing after the other, in the order asked.
    init(label: String, threads: Int) {
        queues = (0..<threads).map { DispatchQueue(label: "\(label).\($0)") }
    }

    /// Runs work on the next thread in turn, and waits for it without blocking.
    func run<Answer: Sendable>(_ work: @escaping @Sendable () throws -> Answer) async throws -> Answer {
        let turn = next.wrappingAdd(1, ordering: .relaxed).oldValue
        let queue = queues[(turn & Int.max) % queues.count]
        return try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result(catching: work)) }
        }
    }
}
