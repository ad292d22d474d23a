import Synchronization

/// Lets two tasks take turns, step by step, in an order that a test chooses: a step is a call of a port.
///
/// Every task waits before each of its steps. When both wait, or one has ended, the next in the order goes on until its
/// next step. So one order is one interleaving, and always the same one.
final class StepScheduler: Sendable {
    @TaskLocal static var task: Int?

    private struct State {
        var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
        var ended: Set<Int> = []
        var order: [Int]
        /// Who went, where both could have.
        var choices: [Int] = []
        var counts = [0, 0]
    }

    private let state: Mutex<State>

    /// Beyond the order given, the first task goes on until its end.
    init(order: [Int]) {
        state = Mutex(State(order: order))
    }

    /// Who went at each step at which both could have.
    var choices: [Int] { state.withLock { $0.choices } }

    /// How many steps each has made.
    var counts: [Int] { state.withLock { $0.counts } }

    var hook: PortHook {
        PortHook(before: { [self] _ in await step() })
    }

    /// Runs both to their ends.
    func run(
        _ first: @escaping @Sendable () async throws -> Void, _ second: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (task, body) in [first, second].enumerated() {
                group.addTask { [self] in
                    try await Self.$task.withValue(task) {
                        await step()
                        defer { end(task) }
                        try await body()
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    private func step() async {
        guard let task = Self.task else { return }
        await withCheckedContinuation { continuation in
            state.withLock { $0.waiting[task] = continuation }
            advance()
        }
    }

    private func end(_ task: Int) {
        state.withLock { _ = $0.ended.insert(task) }
        advance()
    }

    /// Lets the next one go on, when nobody is on the way.
    private func advance() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard state.waiting.count + state.ended.count == 2, !state.waiting.isEmpty else { return nil }
            var task = 0
            if state.waiting.count == 2 {
                let position = state.choices.count
                task = position < state.order.count ? state.order[position] : 0
                state.choices.append(task)
            } else if let only = state.waiting.keys.first {
                task = only
            }
            state.counts[task] += 1
            return state.waiting.removeValue(forKey: task)
        }
        next?.resume()
    }
}

/// All orders of two tasks, one after the other: each differs from the one before at its last choice that can.
struct TurnOrders {
    private(set) var order: [Int]? = []

    /// Takes what was chosen, and goes on to the next order; none when all were tried.
    mutating func advance(after choices: [Int]) {
        var next = choices
        while let last = next.popLast() {
            if last == 0 {
                order = next + [1]
                return
            }
        }
        order = nil
    }
}
