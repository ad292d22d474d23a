import Dispatch
import Synchronization

/// Threads for what costs processor time: hashing, compressing, encrypting. The cooperative pool stays free for what waits.
///
/// Each worker has tools of its own (``Worker``), which are made once and used by one job at a time.
public final class WorkerPool: Sendable {
    private typealias Job = @Sendable (Worker) -> Void

    /// A worker and its thread. Sendable although the tools are not: only jobs on the queue, one after the other, use them.
    private final class Post: @unchecked Sendable {
        let queue: DispatchQueue
        let worker = Worker()

        init(_ name: String) {
            queue = DispatchQueue(label: name, qos: .userInitiated)
        }
    }

    private struct State {
        var idle: [Int]
        /// Those before `first` have begun: their places are empty, since a job holds what it works on.
        var waiting: [Job?] = []
        var first = 0

        var waitingCount: Int { waiting.count - first }

        mutating func next() -> Job? {
            guard first < waiting.count else { return nil }
            let job = waiting[first].take()
            first += 1
            // Shifting the whole queue at each step would make a long queue quadratic.
            if first > 64, first * 2 > waiting.count {
                waiting.removeFirst(first)
                first = 0
            }
            return job
        }
    }

    private let posts: [Post]
    private let bound: Int
    private let state: Mutex<State>

    /// Makes a pool.
    /// - Parameters:
    ///   - name: what the threads are called.
    ///   - workers: how many there are; at least 1. As many as cores for work of the processor.
    ///   - waiting: how many jobs may wait; more are refused.
    public init(name: String = "cairn.worker", workers: Int, waiting: Int = 4096) {
        precondition(workers > 0, "a pool needs a worker")
        posts = (0..<workers).map { Post("\(name).\($0)") }
        bound = waiting
        state = Mutex(State(idle: Array(0..<workers)))
    }

    /// How many workers there are.
    public var count: Int { posts.count }

    /// Runs a job on one of the workers. Jobs begin in the order in which they come.
    /// - Throws: ``FilesError`` `unavailable` when too many jobs wait, and what the job throws.
    func run<Value: Sendable>(_ body: @escaping @Sendable (Worker) throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            submit { worker in
                continuation.resume(with: Result { try body(worker) })
            } refused: {
                continuation.resume(throwing: FilesError(.unavailable, "too many requests wait", retryAfter: 1))
            }
        }
    }

    /// Runs work of the processor that needs none of the workers' tools, such as reading or writing a large message.
    /// - Throws: ``FilesError`` `unavailable` when too many jobs wait, and what the work throws.
    public func perform<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await run { _ in try body() }
    }

    /// Does the same to every item, shared out among the workers, and answers in the order of the items.
    /// - Throws: as ``run(_:)``: the error of the first part that fails.
    func map<Item: Sendable, Value: Sendable>(
        _ items: [Item], _ body: @escaping @Sendable (Worker, Item) throws -> Value
    ) async throws -> [Value] {
        guard items.count > 1, posts.count > 1 else {
            return items.isEmpty ? [] : try await run { worker in try items.map { try body(worker, $0) } }
        }
        let parts = min(posts.count, items.count)
        return try await withThrowingTaskGroup(of: (Int, [Value]).self) { group in
            for part in 0..<parts {
                let range = (items.count * part / parts)..<(items.count * (part + 1) / parts)
                group.addTask {
                    (part, try await self.run { worker in try range.map { try body(worker, items[$0]) } })
                }
            }
            var results = [[Value]](repeating: [], count: parts)
            for try await (part, values) in group { results[part] = values }
            return results.flatMap { $0 }
        }
    }

    private func submit(_ job: @escaping Job, refused: () -> Void) {
        enum Place {
            case at(Int)
            case queued
            case full
        }
        let place: Place = state.withLock { state in
            if let post = state.idle.popLast() { return .at(post) }
            guard state.waitingCount < bound else { return .full }
            state.waiting.append(job)
            return .queued
        }
        switch place {
        case .queued: break
        case .full: refused()
        case .at(let post): posts[post].queue.async { self.work(post, job) }
        }
    }

    private func work(_ post: Int, _ job: @escaping Job) {
        var next: Job? = job
        while let job = next.take() {
            job(posts[post].worker)
            next = state.withLock { state in
                let job = state.next()
                if job == nil { state.idle.append(post) }
                return job
            }
        }
    }
}
