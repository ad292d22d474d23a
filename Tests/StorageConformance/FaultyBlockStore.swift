public import Model
public import Storage
import Synchronization
import TestSupport

/// Lets the calls to a store fail by chance, reproducibly by its seed.
public final class FaultyBlockStore: BlockStore {
    /// What goes wrong; chances are between 0 and 1.
    public struct Plan: Hashable, Sendable {
        /// The chance that an append fails without writing anything.
        public var failedAppends = 0.0
        /// The chance that an append is durable and its acknowledgement is lost.
        public var lostAcknowledgements = 0.0
        /// The chance that a read fails.
        public var failedReads = 0.0
        /// What the failures are.
        public var code = StorageError.Code.unavailable

        /// Nothing goes wrong.
        public init() {}
    }

    private struct State: Sendable {
        var plan: Plan
        var generator: SeededGenerator
        var failures = 0
    }

    private let base: any BlockStore
    private let state: Mutex<State>

    /// Puts faults before a store.
    public init(_ base: any BlockStore, seed: UInt64 = 0, plan: Plan = Plan()) {
        self.base = base
        state = Mutex(State(plan: plan, generator: SeededGenerator(seed: seed)))
    }

    /// What goes wrong from now on.
    public var plan: Plan {
        get { state.withLock { $0.plan } }
        set { state.withLock { $0.plan = newValue } }
    }

    /// How many calls have failed.
    public var failures: Int { state.withLock { $0.failures } }

    /// Appends, or fails before or after.
    public func append(_ records: [[UInt8]]) async throws -> [PackLocation] {
        try fail("append", by: \.failedAppends)
        let locations = try await base.append(records)
        try fail("acknowledgement", by: \.lostAcknowledgements)
        return locations
    }

    /// Reads, or fails.
    public func read(_ location: PackLocation) async throws -> [UInt8] {
        try fail("read", by: \.failedReads)
        return try await base.read(location)
    }

    /// Reads, or fails.
    public func read(_ locations: [PackLocation]) async throws -> [[UInt8]] {
        try fail("read", by: \.failedReads)
        return try await base.read(locations)
    }

    /// Repairs in the store below.
    public func repair(_ location: PackLocation, with bytes: [UInt8]) async throws {
        try await base.repair(location, with: bytes)
    }

    /// The packs of the store below.
    public func packs() async throws -> [PackSummary] { try await base.packs() }

    /// Scans the store below.
    public func scan(_ pack: PackID, _ visit: @Sendable (PackRecord) throws -> Void) async throws {
        try await base.scan(pack, visit)
    }

    /// Removes in the store below.
    public func delete(_ pack: PackID) async throws { try await base.delete(pack) }

    /// Checks the store below.
    public func check() async throws { try await base.check() }

    /// Closes the store below.
    public func close() async throws { try await base.close() }

    private func fail(_ call: String, by chance: any KeyPath<Plan, Double> & Sendable) throws {
        try state.withLock { state in
            let chance = state.plan[keyPath: chance]
            guard chance > 0, Double.random(in: 0..<1, using: &state.generator) < chance else { return }
            state.failures += 1
            throw StorageError(state.plan.code, "the \(call) failed by plan")
        }
    }
}
