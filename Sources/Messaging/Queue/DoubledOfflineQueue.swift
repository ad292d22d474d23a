public import Model
import Synchronization

/// Two queues on separate storage that act as one, which is there as long as either is.
///
/// Every write goes to both at the same time and returns when both have it; when one fails, or does not answer in time,
/// the other one durably notes that it is alone before the write returns. Reads go to the first while it is current,
/// else to the second; a read that fails goes to the other one at once. When neither can be read, the answer is to read
/// from the cursors, not an error.
///
/// What was out comes back by ``maintain(at:)``, as ``QueueFailover`` says. An acknowledgement whose queue is out
/// meanwhile takes nothing away; what it was about may be told again.
public final class DoubledOfflineQueue: OfflineQueue {
    typealias Side = QueueFailover.Side

    struct State {
        var failover = QueueFailover()
        var hasBegun = false
        /// The newest term in which each replica has noted that it is alone.
        var noted: [Int64] = [0, 0]
        var failureCounts = [0, 0]
        var lastFailures: [String?] = [nil, nil]
    }

    /// How calls are bounded.
    public struct Limits: Hashable, Sendable {
        /// For how long a call may take: 2 seconds by default.
        public var call = Duration.seconds(2)
        /// For how long taking over a page may take: 20 seconds by default.
        public var page = Duration.seconds(20)
        /// How many devices are on a page: 200 by default.
        public var pageSize = 200
        /// How many calls to one replica run at once: 256 by default. More fail.
        public var calls = 256

        /// Makes the default bounds.
        public init() {}
    }

    let replicas: [any OfflineQueueReplica]
    let limits: Limits
    private let calls: [TimedCalls]
    let state = Mutex(State())
    let elapsed: @Sendable () -> Duration

    /// Makes a queue of two. Nothing is read or written before the first ``maintain(at:)``.
    /// - Parameters:
    ///   - first: the one that is read while it can be.
    ///   - second: the one that is read otherwise.
    ///   - limits: how calls are bounded.
    ///   - elapsed: the time since any fixed moment, never going back.
    ///   - pause: waits for a duration; it ends early, with an error, when its task is cancelled.
    public init(
        _ first: any OfflineQueueReplica, _ second: any OfflineQueueReplica, limits: Limits = Limits(),
        elapsed: @escaping @Sendable () -> Duration, pause: @escaping @Sendable (Duration) async throws -> Void
    ) {
        replicas = [first, second]
        self.limits = limits
        calls = replicas.map { _ in TimedCalls(limit: limits.calls, pause: pause) }
        self.elapsed = elapsed
    }

    /// Adds to both.
    /// - Throws: ``QueueError`` `unavailable` when neither has it.
    public func add(_ additions: [QueueAddition], at moment: Timestamp) async throws {
        if additions.isEmpty { return }
        try await write { try await $0.add(additions, at: moment) }
    }

    /// Reads from the one that has everything.
    public func entries(of device: DeviceID, atMost limit: Int) async throws -> QueueDelivery {
        let found = await read { try await $0.entries(of: device, atMost: limit) }
        return found ?? QueueDelivery(entries: [], position: nil, readFromCursor: true)
    }

    /// Takes away from the one that told it, and lets the other one know.
    @discardableResult
    public func acknowledge(_ position: QueuePosition, by device: DeviceID) async throws -> [QueueEntry] {
        var settled: [QueueEntry] = []
        for side in writable {
            // A replica heeds only positions of its own.
            settled += await attempt(side) { try await $0.acknowledge(position, by: device) } ?? []
        }
        if settled.isEmpty { return [] }
        let additions = settled.map { QueueAddition(device, $0) }
        for side in writable { _ = await attempt(side) { try await $0.settle(additions) } }
        return settled
    }

    /// Removes from both.
    /// - Throws: ``QueueError`` `unavailable` when neither has done it.
    public func remove(_ devices: [DeviceID], at moment: Timestamp) async throws {
        if devices.isEmpty { return }
        try await write { try await $0.remove(devices, at: moment) }
    }

    /// Lets what is old go in both.
    @discardableResult
    public func expire(before moment: Timestamp) async throws -> Int {
        var count = 0
        for side in writable {
            count = max(count, await attempt(side) { try await $0.expire(before: moment) } ?? 0)
        }
        return count
    }

    /// The depth of the one that is read; nothing when none can be.
    public func depth() async throws -> QueueDepth {
        await read { try await $0.depth() } ?? QueueDepth()
    }

    /// Closes both.
    public func close() async throws {
        for replica in replicas { try await replica.close() }
    }

    // MARK: Calls

    private var writable: [Side] { state.withLock { $0.failover.writable } }

    /// Makes a call to one replica. A failure puts it out.
    func call<Answer: Sendable>(
        _ side: Side, within duration: Duration? = nil,
        _ body: @escaping @Sendable (any OfflineQueueReplica) async throws -> Answer
    ) async throws -> Answer {
        let replica = replicas[side.rawValue]
        do {
            return try await calls[side.rawValue].perform(within: duration ?? limits.call) { try await body(replica) }
        } catch {
            let now = elapsed()
            state.withLock { state in
                state.failover.failed(side, at: now)
                state.failureCounts[side.rawValue] += 1
                state.lastFailures[side.rawValue] = "\(error)"
            }
            throw error
        }
    }

    /// The same, for whom a failure is no more than that.
    private func attempt<Answer: Sendable>(
        _ side: Side, _ body: @escaping @Sendable (any OfflineQueueReplica) async throws -> Answer
    ) async -> Answer? {
        do { return try await call(side, body) } catch { return nil }
    }

    private func read<Answer: Sendable>(
        _ body: @escaping @Sendable (any OfflineQueueReplica) async throws -> Answer
    ) async -> Answer? {
        // Each failure puts one out, so this ends.
        while let side = state.withLock({ $0.failover.readable }) {
            if let answer = await attempt(side, body) { return answer }
        }
        return nil
    }

    private func write(_ body: @escaping @Sendable (any OfflineQueueReplica) async throws -> Void) async throws {
        var done: Set<Side> = []
        var tried: [Side: Int] = [:]
        // A replica that begins to catch up while a write is at the other one must not miss it: so look again.
        while true {
            let targets = state.withLock { [tried, done] state in
                state.failover.writable.filter { !done.contains($0) && tried[$0] != state.failover.generation(of: $0) }
            }
            if targets.isEmpty { break }
            state.withLock { state in for side in targets { tried[side] = state.failover.generation(of: side) } }
            await withTaskGroup(of: (Side, Bool).self) { group in
                for side in targets {
                    group.addTask { (side, await self.attempt(side, body) != nil) }
                }
                for await (side, isDone) in group where isDone { done.insert(side) }
            }
        }
        if done.count == 1, let alone = done.first { try await note(alone) }
        if done.isEmpty { throw QueueError(.unavailable, "neither storage of the offline queue can be written") }
    }

    /// Has a replica note that the other one lacks something.
    private func note(_ alone: Side) async throws {
        let (term, noted) = state.withLock { ($0.failover.term, $0.noted[alone.rawValue]) }
        if noted >= term { return }
        try await call(alone) { try await $0.notePeerBehind(term) }
        state.withLock { $0.noted[alone.rawValue] = max($0.noted[alone.rawValue], term) }
    }
}
