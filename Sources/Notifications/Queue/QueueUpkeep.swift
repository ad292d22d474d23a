public import Logging
public import Messaging
public import Model
public import ServiceLifecycle
import Synchronization

/// Looks after the doubled queue: brings back a replica that was out, lets old entries go, and measures.
public final class QueueUpkeep: Service, CustomStringConvertible {
    /// How often what is done.
    public struct Limits: Hashable, Sendable {
        /// How often the replicas are looked at: each second by default.
        public var interval = Duration.seconds(1)
        /// How often the queue is measured: every 30 seconds by default.
        public var measuring = Duration.seconds(30)
        /// How often old entries are looked for: every hour by default.
        public var expiry = Duration.seconds(3600)
        /// For how long an entry waits: 30 days by default. Then its device reads from its cursors.
        public var age = Duration.seconds(30 * 86_400)

        /// Makes the default limits.
        public init() {}
    }

    private struct State {
        var depth = QueueDepth()
        var status: DoubledQueueStatus?
        var measured: Timestamp?
        var expired: Timestamp?
    }

    /// Short, for the lines that the service group logs.
    public let description = "queue upkeep"

    private let queue: DoubledOfflineQueue
    private let feeder: QueueFeeder?
    private let clock: any WallClock
    private let limits: Limits
    private let pause: @Sendable (Duration) async throws -> Void
    private let log: Logger
    private let state = Mutex(State())

    /// Makes the service. `feeder` fills in when a replica came back without another to take over from;
    /// a process that does not feed the queue has none.
    public init(
        queue: DoubledOfflineQueue, feeder: QueueFeeder?, clock: any WallClock, limits: Limits = Limits(),
        pause: @escaping @Sendable (Duration) async throws -> Void, log: Logger
    ) {
        self.queue = queue
        self.feeder = feeder
        self.clock = clock
        self.limits = limits
        self.pause = pause
        self.log = log
    }

    /// How much the queue held when it was last measured.
    public var depth: QueueDepth { state.withLock { $0.depth } }

    /// Looks after the queue until the server stops.
    public func run() async throws {
        try? await cancelWhenGracefulShutdown { [self] in
            while !Task.isCancelled {
                await round()
                try await pause(limits.interval)
            }
        }
    }

    /// Does what is due now.
    package func round() async {
        let now = clock.now()
        if await queue.maintain(at: now) { feeder?.fillIn() }
        tellChanges()
        if isDue(\.measured, every: limits.measuring, now) { await measure() }
        if isDue(\.expired, every: limits.expiry, now) { await expire(now) }
    }

    private func isDue(
        _ last: any WritableKeyPath<State, Timestamp?> & Sendable, every interval: Duration, _ now: Timestamp
    ) -> Bool {
        state.withLock { state in
            if let before = state[keyPath: last], before.advanced(by: interval) > now { return false }
            state[keyPath: last] = now
            return true
        }
    }

    private func measure() async {
        do {
            let depth = try await queue.depth()
            state.withLock { $0.depth = depth }
        } catch {
            log.error("the offline queue could not be measured", metadata: ["cause": "\(error)"])
        }
    }

    private func expire(_ now: Timestamp) async {
        do {
            let count = try await queue.expire(before: now.advanced(by: .zero - limits.age))
            if count > 0 { log.info("devices are to read from their cursors", metadata: ["count": "\(count)"]) }
        } catch {
            log.error("old entries of the offline queue could not be let go", metadata: ["cause": "\(error)"])
        }
    }

    /// Says so when a replica went out or came back.
    private func tellChanges() {
        let status = queue.status
        let before = state.withLock { state in
            defer { state.status = status }
            return state.status
        }
        for side in status.isWritten.indices where before?.isWritten[side] ?? true != status.isWritten[side] {
            if status.isWritten[side] {
                log.notice("a storage of the offline queue is back", metadata: ["storage": "\(side + 1)"])
            } else {
                let cause = status.lastFailures[side] ?? "unknown"
                log.error(
                    "a storage of the offline queue is out", metadata: ["storage": "\(side + 1)", "cause": "\(cause)"])
            }
        }
    }
}
