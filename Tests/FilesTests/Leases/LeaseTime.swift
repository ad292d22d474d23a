import Files
import Logging
import Metadata
import MetadataSQLite
import Model
import Synchronization
import TestSupport

/// Time that passes only when a test says so: who waits is woken in the order of the moments waited for.
final class LeaseTime: Sendable {
    private struct Sleeper {
        let id: UInt64
        let until: Duration
        let waiter: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var now = Duration.zero
        var next: UInt64 = 0
        var sleepers: [Sleeper] = []
        var cancelled: Set<UInt64> = []
    }

    private let state = Mutex(State())

    var now: Duration { state.withLock { $0.now } }

    /// How many wait now.
    var sleeping: Int { state.withLock { $0.sleepers.count } }

    func pause(_ duration: Duration) async throws {
        let id = state.withLock { state in
            state.next += 1
            return state.next
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { waiter in
                let isCancelled = state.withLock { state in
                    if state.cancelled.remove(id) != nil { return true }
                    state.sleepers.append(Sleeper(id: id, until: state.now + duration, waiter: waiter))
                    return false
                }
                if isCancelled { waiter.resume(throwing: CancellationError()) }
            }
        } onCancel: {
            let sleeper = state.withLock { state -> Sleeper? in
                guard let index = state.sleepers.firstIndex(where: { $0.id == id }) else {
                    state.cancelled.insert(id)
                    return nil
                }
                return state.sleepers.remove(at: index)
            }
            sleeper?.waiter.resume(throwing: CancellationError())
        }
    }

    /// Lets time pass, and wakes those whose moment has come.
    func advance(by duration: Duration) {
        let woken = state.withLock { state in
            state.now += duration
            let woken = state.sleepers.filter { $0.until <= state.now }
            state.sleepers.removeAll { $0.until <= state.now }
            return woken
        }
        for sleeper in woken { sleeper.waiter.resume() }
    }

    var rules: LeaseRules {
        LeaseRules(elapsed: { self.now }, pause: { try await self.pause($0) })
    }
}

/// What processes do with one job, written down as it happens.
final class LeaseJournal: Sendable {
    private let state = Mutex<(running: [String], most: Int, begun: [String])>(([], 0, []))

    var running: [String] { state.withLock { $0.running } }
    var begun: [String] { state.withLock { $0.begun } }
    /// The most that ran at once.
    var most: Int { state.withLock { $0.most } }

    /// A job that goes on until it is cancelled.
    func job(_ name: String) -> @Sendable (Lease) async throws -> Void {
        { _ in
            self.state.withLock { state in
                state.running.append(name)
                state.begun.append(name)
                state.most = max(state.most, state.running.count)
            }
            defer { self.state.withLock { state in state.running.removeAll { $0 == name } } }
            for await _ in AsyncStream<Never>.makeStream().stream {}
            throw CancellationError()
        }
    }

    /// Waits until the processes that do the job are these; it looks again and again without sleeping.
    func wait(for names: [String]) async {
        while running != names { await Task.yield() }
    }
}

/// A database whose writes, or all calls, can be made to fail or to wait: the connection of one process.
final class LeaseLine: MetadataDatabase {
    enum Fault { case none, fails, hangs }

    private let base: any MetadataDatabase
    private let fault = Mutex(Fault.none)
    private let state = Mutex<[CheckedContinuation<Void, Never>]>([])

    init(_ base: any MetadataDatabase) { self.base = base }

    /// Breaks or mends the connection; calls that hang go on when it is mended.
    func set(_ fault: Fault) {
        self.fault.withLock { $0 = fault }
        guard fault == .none else { return }
        for waiter in state.withLock({ waiting in
            defer { waiting = [] }; return waiting
        }) { waiter.resume() }
    }

    private func pass() async throws {
        switch fault.withLock({ $0 }) {
        case .none: return
        case .fails: throw MetadataError(.unavailable, "the connection is cut")
        case .hangs:
            await withCheckedContinuation { waiter in state.withLock { $0.append(waiter) } }
        }
    }

    func read<T: Sendable>(_ body: @escaping @Sendable (any MetadataConnection) throws -> T) async throws -> T {
        try await pass()
        return try await base.read(body)
    }

    func write<T: Sendable>(_ body: @escaping @Sendable (any MetadataConnection) throws -> T) async throws -> T {
        try await pass()
        return try await base.write(body)
    }

    func close() async throws { try await base.close() }
}
