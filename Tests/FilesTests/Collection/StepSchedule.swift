import Metadata
import Model
import Storage
import Synchronization

/// What a step does, as far as others can see it.
enum StepKind: Hashable, Sendable {
    case read, write, storeRead, storeWrite

    private var isOfStore: Bool { self == .storeRead || self == .storeWrite }
    private var onlyLooks: Bool { self == .read || self == .storeRead }

    /// Whether it makes no difference which of two steps comes first.
    func commutes(with other: StepKind) -> Bool {
        isOfStore != other.isOfStore || (onlyLooks && other.onlyLooks)
    }
}

/// The actor was killed before its step.
struct Killed: Error {}

/// Lets several actors run step by step, one at a time: each call of the database or the store waits until it is its
/// turn. Calls from outside of any actor pass.
final class StepSchedule: Sendable {
    @TaskLocal static var actor: Int?

    private struct State {
        var parked: [Int: (kind: StepKind, waiter: CheckedContinuation<Bool, Never>)] = [:]
        var running: Set<Int> = []
        var whenQuiet: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// A step of the actor whose task this is.
    func step<T>(_ kind: StepKind, _ body: () async throws -> T) async throws -> T {
        if let actor = Self.actor {
            let goes = await withCheckedContinuation { waiter in
                settle(actor) { $0.parked[actor] = (kind, waiter) }
            }
            if !goes { throw Killed() }
        }
        return try await body()
    }

    /// Runs actors until all have ended. `choose` gets what each of those that wait is about to do, and says who goes
    /// on, and whether it is killed instead; nil kills all.
    func run(
        _ actors: [@Sendable () async -> Void], _ choose: ([Int: StepKind]) -> (actor: Int, isKilled: Bool)?
    ) async {
        state.withLock { $0.running = Set(actors.indices) }
        await withTaskGroup(of: Void.self) { group in
            for (index, body) in actors.enumerated() {
                group.addTask {
                    await Self.$actor.withValue(index) { await body() }
                    self.settle(index) { _ in }
                }
            }
            while true {
                await quiet()
                let waiting = state.withLock { $0.parked.mapValues(\.kind) }
                if waiting.isEmpty { break }
                if let next = choose(waiting) {
                    release([next.actor], goes: !next.isKilled)
                } else {
                    release(Array(waiting.keys), goes: false)
                }
            }
        }
    }

    private func release(_ actors: [Int], goes: Bool) {
        let waiters = state.withLock { state in
            state.running.formUnion(actors)
            return actors.compactMap { state.parked.removeValue(forKey: $0)?.waiter }
        }
        for waiter in waiters { waiter.resume(returning: goes) }
    }

    private func settle(_ actor: Int, _ change: (inout sending State) -> Void) {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            change(&state)
            state.running.remove(actor)
            guard state.running.isEmpty else { return nil }
            defer { state.whenQuiet = nil }
            return state.whenQuiet
        }
        waiter?.resume()
    }

    private func quiet() async {
        await withCheckedContinuation { waiter in
            let isQuiet = state.withLock { state in
                if state.running.isEmpty { return true }
                state.whenQuiet = waiter
                return false
            }
            if isQuiet { waiter.resume() }
        }
    }
}

/// A database each of whose calls is a step.
struct SteppedDatabase: MetadataDatabase {
    let base: any MetadataDatabase
    let schedule: StepSchedule

    func read<T: Sendable>(_ body: @escaping @Sendable (any MetadataConnection) throws -> T) async throws -> T {
        try await schedule.step(.read) { try await base.read(body) }
    }

    func write<T: Sendable>(_ body: @escaping @Sendable (any MetadataConnection) throws -> T) async throws -> T {
        try await schedule.step(.write) { try await base.write(body) }
    }

    func close() async throws { try await base.close() }
}

/// A store each of whose calls is a step.
struct SteppedStore: BlockStore {
    let base: any BlockStore
    let schedule: StepSchedule

    func append(_ records: [[UInt8]]) async throws -> [PackLocation] {
        try await schedule.step(.storeWrite) { try await base.append(records) }
    }

    func read(_ location: PackLocation) async throws -> [UInt8] {
        try await schedule.step(.storeRead) { try await base.read(location) }
    }

    func read(_ locations: [PackLocation]) async throws -> [[UInt8]] {
        try await schedule.step(.storeRead) { try await base.read(locations) }
    }

    func repair(_ location: PackLocation, with bytes: [UInt8]) async throws {
        try await schedule.step(.storeWrite) { try await base.repair(location, with: bytes) }
    }

    func packs() async throws -> [PackSummary] {
        try await schedule.step(.storeRead) { try await base.packs() }
    }

    func scan(_ pack: PackID, _ visit: @Sendable (PackRecord) throws -> Void) async throws {
        try await schedule.step(.storeRead) { try await base.scan(pack, visit) }
    }

    func delete(_ pack: PackID) async throws {
        try await schedule.step(.storeWrite) { try await base.delete(pack) }
    }

    func check() async throws { try await base.check() }

    func close() async throws { try await base.close() }
}
