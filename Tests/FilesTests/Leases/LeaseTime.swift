import Files
import Logging
import Metadata
import MetadataSQLite
import Model
import Synchronization
import TestSupport

/// Wakes who waits for something to have happened.
final class LeaseNews: Sendable {
    private let state = Mutex<(version: Int, waiters: [CheckedContinuation<Void, Never>])>((0, []))

    /// Has everybody look again.
    func tell() {
        let waiters = state.withLock { state in
            state.version += 1
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Returns when a condition holds, which is looked at whenever something has happened.
    func until(_ condition: () -> Bool) async throws {
        while true {
            let version = state.withLock { $0.version }
            if condition() { return }
            try Task.checkCancellation()
            await withTaskCancellationHandler {
                await withCheckedContinuation { waiter in
                    let isNew = state.withLock { state in
                        if state.version != version || Task.isCancelled { return true }
                        state.waiters.append(waiter)
                        return false
                    }
                    if isNew { waiter.resume() }
                }
            } onCancel: {
                tell()
            }
        }
    }
}

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

    private let news: LeaseNews
    private let state = Mutex(State())

    init(_ news: LeaseNews) { self.news = news }

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
                news.tell()
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

    /// How long it is until the first wakes who waits now.
    private var left: Duration? { state.withLock { state in state.sleepers.map { $0.until - state.now }.min() } }

    /// Lets time pass from one moment that is waited for to the next, each time when so many wait, so that whoever was woken
    /// has done what comes of it.
    /// - Parameters:
    ///   - duration: for how long.
    ///   - others: clocks on which the same time passes.
    ///   - count: how many wait, those left out that end.
    ///   - isOver: a condition that ends it earlier.
    /// - Throws: `CancellationError`.
    func pass(
        _ duration: Duration, with others: [LeaseTime] = [], asleep count: Int, until isOver: () -> Bool = { false }
    ) async throws {
        let clocks = [self] + others
        var rest = duration
        while true {
            try await news.until { clocks.map(\.sleeping).reduce(0, +) >= count || isOver() }
            if isOver() { return }
            let step = clocks.compactMap(\.left).min().map { max(.zero, $0) }
            guard let step, step <= rest else { break }
            for clock in clocks { clock.advance(by: step) }
            rest -= step
        }
        for clock in clocks { clock.advance(by: rest) }
    }

    var rules: LeaseRules {
        LeaseRules(elapsed: { self.now }, pause: { try await self.pause($0) })
    }
}

/// What processes do with one job, written down as it happens.
final class LeaseJournal: Sendable {
    private let news: LeaseNews
    private let state = Mutex<(running: [String], most: Int, begun: [String])>(([], 0, []))

    init(_ news: LeaseNews) { self.news = news }

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
            self.news.tell()
            defer {
                self.state.withLock { state in state.running.removeAll { $0 == name } }
                self.news.tell()
            }
            for await _ in AsyncStream<Never>.makeStream().stream {}
            throw CancellationError()
        }
    }

    /// Waits until the processes that do the job are these.
    func wait(for names: [String]) async throws { try await news.until { running == names } }
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
