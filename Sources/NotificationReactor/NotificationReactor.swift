public import Blocks
import Glibc
public import Logging
public import Model
public import Notifications
public import ServiceLifecycle
import Synchronization

/// The dense driver of a ``PollDesk``: answers `POST /v1/poll` for poll tokens on a port of its own, with a few dozen bytes
/// for each connection, and `GET /health`, `/ready` and `/metrics`.
///
/// It has threads of its own, each with an epoll loop. When the polls of its capacity are more files than a process may
/// open, it has more threads, and each has a file table of its own. It speaks plain HTTP/1.1; TLS is for a balancer in
/// front of it.
///
/// A peer that ends its side of the connection has gone: its poll ends at once. Requests that come while a poll is parked
/// are left in the kernel, and answered in order after it.
public final class NotificationReactor: Service {
    private let configuration: ReactorConfiguration
    private let plan: ReactorPlan
    private let shared: LoopSurroundings
    private let listeners: Listeners
    private let generator: any RandomNumberGenerator & Sendable
    private let log: Logger

    /// Listens at once; connections are accepted when the service runs.
    ///
    /// - Parameters:
    ///   - configuration: how much it holds, and how long it waits for whom.
    ///   - desk: where polls are parked. It is run by somebody else, and drained by the reactor when that stops.
    ///   - keys: the keys that sign poll tokens, by the versions of their master keys: `KeyRing.pollKeys()`.
    ///   - clock: tells whether a token has expired.
    ///   - generator: spreads the times after which refused devices come back. Each thread has a copy.
    ///   - log: where beginning and end are told.
    ///   - seconds: seconds since any fixed moment, which no change of the wall clock moves; by default the machine's.
    /// - Throws: ``ReactorError`` when the address can't be listened on, or the limit of open files is too low.
    public init(
        configuration: ReactorConfiguration, desk: PollDesk, keys: [UInt32: TokenKey], clock: any WallClock,
        generator: any RandomNumberGenerator & Sendable, log: Logger, seconds: (@Sendable () -> UInt32)? = nil
    ) throws(ReactorError) {
        let plan = try ReactorPlan(
            capacity: configuration.capacity, threads: configuration.threads,
            files: configuration.files ?? Self.fileLimit(),
            processors: sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        (self.configuration, self.plan, self.generator, self.log) = (configuration, plan, generator, log)
        listeners = try Listeners(configuration, count: plan.listeners)
        let start = ContinuousClock.now
        shared = try LoopSurroundings(
            configuration, plan, desk: desk, keys: keys, clock: clock,
            seconds: seconds ?? { UInt32(clamping: (ContinuousClock.now - start).components.seconds) })
    }

    /// The port that it listens on.
    public var port: UInt16 { listeners.port }

    /// How many threads it has.
    public var threadCount: Int { plan.threads }

    /// How many connections are open.
    public var connectionCount: Int { Int(shared.counts.connections) }

    /// Serves until the server stops: then it accepts nothing more, ends all polls of the desk in waves, and returns when
    /// the last connection has gone. Cancelled, it closes what is open and returns. To be run once.
    /// - Throws: ``ReactorError`` when a thread can't begin.
    public func run() async throws {
        defer { listeners.end() }
        let tables = try tables()
        let running = RunningLoops(count: plan.threads)
        for index in 0..<plan.threads { try start(index, tables[index], running) }
        log.info(
            "devices may poll",
            metadata: ["address": "\(configuration.address)", "port": "\(port)", "threads": "\(plan.threads)"])
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [shared] in
                try await withTaskCancellationHandler {
                    try await running.allEnded()
                } onCancel: {
                    shared.enter(.stopped)
                }
            }
            group.addTask { [self] in await drainWhenAsked() }
            try await group.next()
            group.cancelAll()
            try await group.waitForAll()
        }
        log.info("no device polls any more", metadata: ["port": "\(port)"])
    }

    /// How many connections there have been: for tests that count them.
    package var acceptedCount: Int { Int(shared.counts.accepted) }

    /// Has every thread look at the clock now: for tests that move it.
    package func tick() { shared.pokeAll() }

    private func drainWhenAsked() async {
        guard (try? await gracefulShutdown()) != nil else { return }
        shared.enter(.draining)
        await shared.desk.drain()
        listeners.end()
        // Cancelled when the last connection has gone before.
        guard (try? await Task.sleep(for: .seconds(configuration.farewell))) != nil else { return }
        shared.enter(.stopped)
    }

    /// A table for each thread, or one for all when they share the files.
    private func tables() throws(ReactorError) -> [ConnectionTable] {
        let limit = min(configuration.files ?? Self.fileLimit(), PollOwner.maximumDescriptors)
        guard plan.ownsTables else {
            let table = try ConnectionTable(count: limit)
            return [ConnectionTable](repeating: table, count: plan.threads)
        }
        var tables: [ConnectionTable] = []
        for _ in 0..<plan.threads { tables.append(try ConnectionTable(count: limit)) }
        return tables
    }

    private func start(
        _ index: Int, _ table: ConnectionTable, _ running: RunningLoops
    ) throws(ReactorError) {
        let (shared, listeners, generator, log) = (shared, listeners, generator, log)
        try ReactorThread.start {
            var failure: ReactorError?
            do throws(ReactorError) {
                if shared.plan.ownsTables {
                    try ReactorThread.ownFiles(keeping: shared.mailboxes.map(\.descriptor) + listeners.sockets)
                }
                var loop = try ReactorLoop(
                    index: index, listeners: listeners.sockets, table: table, shared: shared, generator: generator)
                loop.run()
            } catch {
                failure = error
                log.error("a thread of the reactor can't begin", metadata: ["cause": "\(error)"])
                shared.enter(.stopped)
            }
            running.hasEnded(failure)
        }
    }

    private static func fileLimit() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1_024 }
        return Int(clamping: limit.rlim_cur)
    }
}
