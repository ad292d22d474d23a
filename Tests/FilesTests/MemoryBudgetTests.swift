import Synchronization
import TestSupport
import Testing

@testable import Files

@Suite("The memory budget")
struct MemoryBudgetTests {
    /// What tasks note of themselves.
    private final class Notes: Sendable {
        let order = Mutex<[String]>([])
        let kept = Mutex<[MemoryShare]>([])
        let held = Atomic<Int>(0)
        let most = Atomic<Int>(0)
    }

    /// Waits until as many wait for a share; it looks again and again without sleeping.
    private func wait(for count: Int, _ budget: MemoryBudget) async {
        while budget.waitingCount != count { await Task.yield() }
    }

    @Test("a share is given back when it is let go")
    func givesBack() async throws {
        let budget = MemoryBudget(100)
        var share: MemoryShare? = try await budget.take(60)
        #expect(share?.bytes == 60)
        #expect(budget.free == 40)
        share = nil
        #expect(budget.free == 100)
    }

    @Test("who asks for more than there is gets everything, and who asks for nothing or less gets nothing")
    func bounds() async throws {
        let budget = MemoryBudget(100)
        let all = try await budget.take(1_000_000)
        #expect(all.bytes == 100)
        let nothing = try await budget.take(-5)
        #expect(nothing.bytes == 0)
        #expect(budget.free == 0)
        withExtendedLifetime((all, nothing)) {}
    }

    @Test("shares are given in the order in which they are asked for: a small one does not overtake a large one")
    func order() async throws {
        let budget = MemoryBudget(100)
        var held: MemoryShare? = try await budget.take(80)
        let notes = Notes()
        let large = Task {
            let share = try await budget.take(90)
            notes.order.withLock { $0.append("large") }
            withExtendedLifetime(share) {}
        }
        await wait(for: 1, budget)
        let small = Task {
            let share = try await budget.take(30)
            notes.order.withLock { $0.append("small") }
            withExtendedLifetime(share) {}
        }
        await wait(for: 2, budget)
        #expect(budget.free == 20)
        withExtendedLifetime(held) {}
        held = nil
        try await large.value
        try await small.value
        #expect(notes.order.withLock { $0 } == ["large", "small"])
        #expect(budget.free == 100)
    }

    @Test("one share that is given back lets in as many as fit")
    func several() async throws {
        let budget = MemoryBudget(100)
        var held: MemoryShare? = try await budget.take(100)
        let notes = Notes()
        let tasks = (0..<5).map { _ in
            Task {
                let share = try await budget.take(30)
                notes.kept.withLock { $0.append(share) }
            }
        }
        await wait(for: 5, budget)
        withExtendedLifetime(held) {}
        held = nil
        await wait(for: 2, budget)
        while notes.kept.withLock({ $0.count }) != 3 { await Task.yield() }
        #expect(budget.free == 10)
        while notes.kept.withLock({ $0.popLast() }) != nil || budget.waitingCount > 0 { await Task.yield() }
        for task in tasks { try await task.value }
        notes.kept.withLock { $0 = [] }
        #expect(budget.free == 100)
    }

    @Test("when too many wait, the next is told to come back later")
    func refuses() async throws {
        let budget = MemoryBudget(10, waiting: 2)
        var held: MemoryShare? = try await budget.take(10)
        let waiting = (0..<2).map { _ in Task { _ = try await budget.take(1) } }
        await wait(for: 2, budget)
        let error = try await #require(throws: FilesError(.unavailable, "")) { try await budget.take(1) }
        #expect(error.retryAfter == 2)
        withExtendedLifetime(held) {}
        held = nil
        for task in waiting { try await task.value }
        #expect(budget.free == 10)
    }

    @Test("who is cancelled waits no more, and those behind it move up")
    func cancellation() async throws {
        let budget = MemoryBudget(10)
        let held = try await budget.take(8)
        let large = Task { _ = try await budget.take(5) }
        await wait(for: 1, budget)
        let small = Task { _ = try await budget.take(2) }
        await wait(for: 2, budget)
        large.cancel()
        await #expect(throws: CancellationError.self) { try await large.value }
        try await small.value
        #expect(budget.free == 2)
        withExtendedLifetime(held) {}
    }

    @Test("who is cancelled before it asks gets nothing")
    func cancelledBefore() async throws {
        let budget = MemoryBudget(10)
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            _ = try await budget.take(1)
        }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(budget.free == 10)
        #expect(budget.waitingCount == 0)
    }

    @Test(
        "a crowd never holds more than there is, and all of it is there afterwards",
        arguments: [1, 2, 3, 4] as [UInt64])
    func crowd(seed: UInt64) async throws {
        let budget = MemoryBudget(100, waiting: 1000)
        let notes = Notes()
        var random = SeededGenerator(seed: seed)
        let sizes = (0..<300).map { _ in Int.random(in: 1...70, using: &random) }
        let cancelled = Set((0..<60).map { _ in Int.random(in: 0..<300, using: &random) })
        await withTaskGroup(of: Void.self) { group in
            for (index, size) in sizes.enumerated() {
                let task = Task {
                    let share = try await budget.take(size)
                    let now = notes.held.wrappingAdd(size, ordering: .relaxed).newValue
                    notes.most.max(now, ordering: .relaxed)
                    await Task.yield()
                    notes.held.wrappingSubtract(size, ordering: .relaxed)
                    withExtendedLifetime(share) {}
                }
                if cancelled.contains(index) { task.cancel() }
                group.addTask { _ = await task.result }
            }
        }
        #expect(notes.most.load(ordering: .relaxed) <= 100)
        #expect(budget.free == 100)
        #expect(budget.waitingCount == 0)
    }
}
