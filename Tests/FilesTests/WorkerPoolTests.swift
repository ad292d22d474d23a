import Dispatch
import Synchronization
import Testing

@testable import Files

@Suite("The worker pool")
struct WorkerPoolTests {
    /// Counts the jobs that run, and the sets of tools that they are given.
    private final class Count: Sendable {
        private struct State {
            var now = 0
            var most = 0
            var tools: Set<ObjectIdentifier> = []
        }

        private let state = Mutex(State())

        var most: Int { state.withLock { $0.most } }
        var toolSets: Int { state.withLock { $0.tools.count } }

        func begin(_ worker: Worker) {
            let tools = ObjectIdentifier(worker)
            state.withLock { state in
                state.now += 1
                state.most = max(state.most, state.now)
                state.tools.insert(tools)
            }
        }

        func end() { state.withLock { $0.now -= 1 } }
    }

    @Test("answers come in the order of the items", arguments: [0, 1, 2, 3, 1000])
    func order(count: Int) async throws {
        let pool = WorkerPool(workers: 3)
        #expect(try await pool.map(Array(0..<count)) { _, number in number * 2 } == (0..<count).map { $0 * 2 })
    }

    @Test("an error of one item is the error of the whole")
    func errors() async throws {
        struct Broken: Error {}
        let pool = WorkerPool(workers: 2)
        await #expect(throws: Broken.self) {
            try await pool.map(Array(0..<100)) { _, number in if number == 57 { throw Broken() } }
        }
        #expect(try await pool.perform { 5 } == 5)
    }

    @Test("no more jobs run at once than there are workers, and each worker has tools of its own")
    func bounded() async throws {
        let pool = WorkerPool(workers: 2)
        let count = Count()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<200 {
                group.addTask {
                    try await pool.run { worker in
                        count.begin(worker)
                        _ = (0..<2000).reduce(0, &+)
                        count.end()
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect((1...2).contains(count.most))
        #expect((1...2).contains(count.toolSets))
    }

    @Test("more jobs than may wait are refused, and those that wait are done")
    func overload() async throws {
        let pool = WorkerPool(workers: 1, waiting: 3)
        let gate = DispatchSemaphore(value: 0)
        let (begun, signal) = AsyncStream<Void>.makeStream()
        let first = Task {
            try await pool.perform {
                signal.finish()
                gate.wait()
            }
        }
        for await _ in begun {}
        let results = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<10 {
                group.addTask {
                    do {
                        try await pool.perform {}
                        return true
                    } catch {
                        #expect(error as? FilesError == FilesError(.unavailable, ""))
                        // Seven refusals are certain before any can be done.
                        return false
                    }
                }
            }
            var refused = 0
            var done = 0
            for await result in group {
                if result { done += 1 } else { refused += 1 }
                if refused == 7 { gate.signal() }
            }
            return (done, refused)
        }
        #expect(results == (3, 7))
        try await first.value
    }
}
