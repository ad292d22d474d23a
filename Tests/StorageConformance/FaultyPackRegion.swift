public import Model
public import Storage
import Synchronization
import TestSupport

/// What goes wrong in a ``FaultyPackRegion``; chances are between 0 and 1.
public struct FaultPlan: Hashable, Sendable {
    /// The region can't be reached at all.
    public var isDown = false
    /// Another process has the region.
    public var isInUse = false
    /// Every write fails as `full` after a part of it was written.
    public var isFull = false
    /// The chance that a write fails as `io` after a part of it was written.
    public var tornWrites = 0.0
    /// The chance that a call that changes something fails before it does anything.
    public var refusedChanges = 0.0
    /// The chance that a read fails as `io`.
    public var failedReads = 0.0
    /// The chance that one bit of a read is wrong, though not on the disk.
    public var flippedReads = 0.0
    /// How often a call gives way to other tasks before it begins.
    public var delay = 0

    /// Nothing goes wrong.
    public init() {}
}

/// Lets the calls to a region go wrong by chance, reproducibly by its seed.
public final class FaultyPackRegion: PackRegion {
    private struct State: Sendable {
        var plan: FaultPlan
        var generator: SeededGenerator

        mutating func happens(_ chance: Double) -> Bool {
            chance > 0 && Double.random(in: 0..<1, using: &generator) < chance
        }
    }

    private let base: any PackRegion
    private let state: Mutex<State>

    /// The name of the region below.
    public var name: String { base.name }

    /// What goes wrong from now on.
    public var plan: FaultPlan {
        get { state.withLock { $0.plan } }
        set { state.withLock { $0.plan = newValue } }
    }

    /// Puts faults before a region.
    public init(_ base: any PackRegion, seed: UInt64 = 0, plan: FaultPlan = FaultPlan()) {
        self.base = base
        state = Mutex(State(plan: plan, generator: SeededGenerator(seed: seed)))
    }

    /// Opens the region below.
    public func open() async throws {
        try await reach()
        if plan.isInUse { throw StorageError(.inUse, "another process uses \(name)") }
        try await base.open()
    }

    /// Lists the packs below.
    public func list() async throws -> [PackSummary] {
        try await reach()
        return try await base.list()
    }

    /// Finds a pack below.
    public func find(_ pack: PackID) async throws -> PackSummary? {
        try await reach()
        return try await base.find(pack)
    }

    /// Makes a pack below.
    public func create(_ pack: PackID) async throws {
        try await change("create")
        try await base.create(pack)
    }

    /// Writes below, all or a part.
    public func write(_ bytes: [UInt8], to pack: PackID, at offset: UInt64) async throws {
        try await change("write")
        let (full, torn, part) = state.withLock { state in
            (
                state.plan.isFull, state.happens(state.plan.tornWrites),
                Int.random(in: 0...bytes.count, using: &state.generator)
            )
        }
        guard full || torn else { return try await base.write(bytes, to: pack, at: offset) }
        try await base.write(Array(bytes.prefix(part)), to: pack, at: offset)
        throw StorageError(full ? .full : .io, "\(name) wrote \(part) of \(bytes.count) bytes")
    }

    /// Reads below; an answer may have a wrong bit.
    public func read(_ pack: PackID, _ ranges: [Range<UInt64>]) async throws -> [[UInt8]] {
        try await reach()
        if state.withLock({ $0.happens($0.plan.failedReads) }) { throw StorageError(.io, "\(name) can't read") }
        var answers = try await base.read(pack, ranges)
        state.withLock { state in
            guard state.happens(state.plan.flippedReads),
                let place = answers.indices.filter({ !answers[$0].isEmpty }).randomElement(using: &state.generator)
            else { return }
            let offset = Int.random(in: answers[place].indices, using: &state.generator)
            answers[place][offset] ^= 1
        }
        return answers
    }

    /// Cuts a pack below.
    public func truncate(_ pack: PackID, to size: UInt64) async throws {
        try await change("truncate")
        try await base.truncate(pack, to: size)
    }

    /// Seals a pack below.
    public func seal(_ pack: PackID, at size: UInt64) async throws {
        try await change("seal")
        try await base.seal(pack, at: size)
    }

    /// Removes a pack below.
    public func delete(_ pack: PackID) async throws {
        try await change("delete")
        try await base.delete(pack)
    }

    /// Reads a note below.
    public func loadNote(_ name: String) async throws -> [UInt8]? {
        try await reach()
        return try await base.loadNote(name)
    }

    /// Writes a note below.
    public func storeNote(_ bytes: [UInt8], _ name: String) async throws {
        try await change("note")
        try await base.storeNote(bytes, name)
    }

    /// Checks the region below.
    public func check() async throws {
        try await change("check")
        try await base.check()
    }

    /// Closes the region below.
    public func close() async throws { try await base.close() }

    private func reach() async throws {
        let plan = plan
        for _ in 0..<plan.delay { await Task.yield() }
        if plan.isDown { throw StorageError(.unavailable, "\(name) is down") }
    }

    private func change(_ call: String) async throws {
        try await reach()
        if state.withLock({ $0.happens($0.plan.refusedChanges) }) { throw StorageError(.io, "\(name) failed: \(call)") }
    }
}
