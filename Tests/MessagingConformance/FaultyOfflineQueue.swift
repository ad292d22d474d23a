public import Messaging
public import Model
import Synchronization
import TestSupport

/// Lets the calls to a queue fail by chance, reproducibly by its seed, or all of them while its storage is gone.
public final class FaultyOfflineQueue: OfflineQueueReplica {
    /// What goes wrong; chances are between 0 and 1.
    public struct Plan: Hashable, Sendable {
        /// The chance that a call fails without an effect.
        public var failures = 0.0
        /// The chance that a call has its effect, and fails all the same.
        public var lostAnswers = 0.0
        /// Whether every call fails: the storage is gone.
        public var isGone = false

        /// Makes a plan of its parts.
        public init(failures: Double = 0, lostAnswers: Double = 0, isGone: Bool = false) {
            self.failures = failures
            self.lostAnswers = lostAnswers
            self.isGone = isGone
        }
    }

    private struct State: Sendable {
        var base: any OfflineQueueReplica
        var plan = Plan()
        var generator: SeededGenerator
        var calls = 0
        var failures = 0
    }

    private let state: Mutex<State>

    /// Puts faults before a queue.
    public init(_ base: any OfflineQueueReplica, seed: UInt64 = 0, plan: Plan = Plan()) {
        state = Mutex(State(base: base, plan: plan, generator: SeededGenerator(seed: seed)))
    }

    /// What goes wrong from now on.
    public var plan: Plan {
        get { state.withLock { $0.plan } }
        set { state.withLock { $0.plan = newValue } }
    }

    /// How many calls were made.
    public var calls: Int { state.withLock { $0.calls } }

    /// How many of them have failed.
    public var failures: Int { state.withLock { $0.failures } }

    /// Puts another storage in place of the one that there was.
    public func replace(by base: any OfflineQueueReplica) { state.withLock { $0.base = base } }

    private func perform<Answer>(
        _ call: @Sendable (any OfflineQueueReplica) async throws -> Answer
    ) async throws -> Answer {
        let base = try state.withLock { state in
            state.calls += 1
            try Self.fail(state.plan.isGone ? 1 : state.plan.failures, &state)
            return state.base
        }
        let answer = try await call(base)
        try state.withLock { state in try Self.fail(state.plan.lostAnswers, &state) }
        return answer
    }

    private static func fail(_ chance: Double, _ state: inout State) throws {
        guard chance > 0, Double.random(in: 0..<1, using: &state.generator) < chance else { return }
        state.failures += 1
        throw QueueError(.unavailable, "the call failed by plan")
    }

    /// Adds, or fails.
    public func add(_ additions: [QueueAddition], at moment: Timestamp) async throws {
        try await perform { try await $0.add(additions, at: moment) }
    }

    /// Reads, or fails.
    public func entries(of device: DeviceID, atMost limit: Int) async throws -> QueueDelivery {
        try await perform { try await $0.entries(of: device, atMost: limit) }
    }

    /// Acknowledges, or fails.
    @discardableResult
    public func acknowledge(_ position: QueuePosition, by device: DeviceID) async throws -> [QueueEntry] {
        try await perform { try await $0.acknowledge(position, by: device) }
    }

    /// Removes, or fails.
    public func remove(_ devices: [DeviceID], at moment: Timestamp) async throws {
        try await perform { try await $0.remove(devices, at: moment) }
    }

    /// Lets go what is old, or fails.
    @discardableResult
    public func expire(before moment: Timestamp) async throws -> Int {
        try await perform { try await $0.expire(before: moment) }
    }

    /// Measures, or fails.
    public func depth() async throws -> QueueDepth { try await perform { try await $0.depth() } }

    /// Closes the queue below.
    public func close() async throws { try await state.withLock { $0.base }.close() }

    /// Settles, or fails.
    public func settle(_ settled: [QueueAddition]) async throws { try await perform { try await $0.settle(settled) } }

    /// Forgets, or fails.
    public func forget() async throws -> Int64 { try await perform { try await $0.forget() } }

    /// Reads a page, or fails.
    public func page(after device: DeviceID?, atMost limit: Int) async throws -> [QueuedDevice] {
        try await perform { try await $0.page(after: device, atMost: limit) }
    }

    /// Takes over, or fails.
    public func adopt(_ devices: [QueuedDevice], forgotten: Int64, at moment: Timestamp) async throws {
        try await perform { try await $0.adopt(devices, forgotten: forgotten, at: moment) }
    }

    /// Tells, or fails.
    public func peerBehindSince() async throws -> Int64 { try await perform { try await $0.peerBehindSince() } }

    /// Notes, or fails.
    public func notePeerBehind(_ term: Int64) async throws {
        try await perform { try await $0.notePeerBehind(term) }
    }

    /// Notes, or fails.
    public func notePeerCaughtUp(_ term: Int64) async throws {
        try await perform { try await $0.notePeerCaughtUp(term) }
    }
}
