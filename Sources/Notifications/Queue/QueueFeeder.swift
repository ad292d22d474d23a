public import Logging
public import Messaging
public import Metadata
public import Model
public import ServiceLifecycle
import Synchronization

/// Tells the offline queue what devices that are away will have to look at.
///
/// It hears of changes on the bus, gathers them for a moment, and adds them in batches for every device that follows the
/// namespace, but not for the author, and not for one whose poll is parked: that one is told by its poll. At the start,
/// and whenever something may have been missed, it goes through all devices and fills in what the journal knows. So a
/// process may end at any point: what it had not told is told later, never lost.
public final class QueueFeeder: Service, CustomStringConvertible {
    /// The bounds of the feeder.
    public struct Limits: Hashable, Sendable {
        /// For how long changes are gathered: by then a device that is online polls again, and needs no entry. One
        /// second by default.
        public var gathering = Duration.seconds(1)
        /// The longest pause after a failure: 30 seconds by default.
        public var longestPause = Duration.seconds(30)
        /// The most namespaces that are remembered; more, and all devices are gone through. 20,000 by default.
        public var namespaces = 20_000
        /// How many namespaces are looked up at once: 64 by default.
        public var lookup = 64
        /// How many entries are added at once: 500 by default.
        public var batch = 500
        /// How many devices are gone through at once: 200 by default.
        public var page = 200
        /// For how long a revoked device is looked after when devices are gone through: 30 days by default.
        public var removals = Duration.seconds(30 * 86_400)

        /// Makes the default bounds.
        public init() {}
    }

    /// Short, for the lines that the service group logs.
    public let description = "queue feeder"

    private let database: any MetadataDatabase
    private let queue: any OfflineQueue
    private let clock: any WallClock
    private let limits: Limits
    private let isParked: @Sendable (DeviceID) -> Bool
    private let pause: @Sendable (Duration) async throws -> Void
    private let log: Logger
    private let intake: Mutex<QueueIntake>
    private let subscription = Mutex<BusSubscription?>(nil)
    /// Of the present run: a stream whose reader was cancelled is at its end.
    private let bell = Mutex<AsyncStream<Void>.Continuation?>(nil)

    /// Makes a feeder that hears of changes from now on.
    /// - Parameters:
    ///   - bus: tells what changed.
    ///   - database: knows who follows what.
    ///   - queue: what to feed.
    ///   - clock: says what time it is.
    ///   - limits: the bounds.
    ///   - isParked: whether a device's poll is parked now.
    ///   - pause: waits for a duration; it ends early, with an error, when its task is cancelled.
    ///   - log: is told of failures.
    public init(
        bus: any ChangeBus, database: any MetadataDatabase, queue: any OfflineQueue, clock: any WallClock,
        limits: Limits = Limits(), isParked: @escaping @Sendable (DeviceID) -> Bool,
        pause: @escaping @Sendable (Duration) async throws -> Void, log: Logger
    ) {
        self.database = database
        self.queue = queue
        self.clock = clock
        self.limits = limits
        self.isParked = isParked
        self.pause = pause
        self.log = log
        intake = Mutex(QueueIntake(limit: limits.namespaces))
        let subscribed = bus.subscribe { [weak self] event in self?.change { $0.receive(event) } }
        subscription.withLock { $0 = subscribed }
    }

    /// How much news the queue has not been told yet.
    public var waitingCount: Int { intake.withLock { $0.count } }

    /// Goes through all devices again and fills in what the journal knows.
    public func fillIn() { change { $0.wantFilling() } }

    /// Feeds the queue until the server stops or the task is cancelled. What is left then is filled in at the next start. It may
    /// be run again, one run at a time.
    public func run() async throws {
        let (signals, bell) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        self.bell.withLock { $0 = bell }
        try? await cancelWhenGracefulShutdown { [self] in
            var failures = 0
            while !Task.isCancelled {
                if intake.withLock({ $0.isIdle }) { for await _ in signals { break } }
                do {
                    // A revocation does not wait for what is gathered.
                    try await endRevoked()
                    // A filling goes through many devices: there is no need to wait between them.
                    if intake.withLock({ $0.filling == nil }) { try await pause(limits.gathering) }
                    try await round()
                    failures = 0
                } catch is CancellationError {
                    return
                } catch {
                    failures += 1
                    log.error("the offline queue could not be fed", metadata: ["cause": "\(error)"])
                    try await pause(min(limits.longestPause, .milliseconds(250 << min(failures, 8))))
                }
            }
        }
    }

    /// Tells the queue all the news there is, and one page of a filling.
    /// - Throws: what the database and the queue throw; then what was not told is still to be told.
    package func round() async throws {
        try await endRevoked()
        let news = intake.withLock { $0.take() }
        do {
            try await tell(news)
        } catch {
            change { $0.putBack(news) }
            throw error
        }
        if let filling = intake.withLock({ $0.filling }) { try await fill(filling) }
    }

    /// Whether the queue was told everything.
    package var isIdle: Bool { intake.withLock { $0.isIdle } }

    private func change(_ body: (inout QueueIntake) -> Void) {
        intake.withLock { body(&$0) }
        bell.withLock { _ = $0?.yield() }
    }

    // MARK: News

    /// Ends the queues of devices that were revoked, and lets the account's other devices know.
    private func endRevoked() async throws {
        let revoked = intake.withLock { $0.takeRevoked() }
        if revoked.isEmpty { return }
        do {
            try await queue.remove(Array(revoked), at: clock.now())
            try await addInBatches(
                try await database.read { connection in
                    var truth = QueueTruth(connection)
                    let queries = DeviceQueries(connection)
                    let accounts = Set(try revoked.compactMap { try queries.byID($0)?.account })
                    return try accounts.flatMap { try queries.all(of: $0) }.filter { $0.revoked == nil }.flatMap {
                        device in
                        try truth.entries(of: device.id, account: device.account).map { QueueAddition(device.id, $0) }
                    }
                })
        } catch {
            change { $0.putBack(QueueIntake.News(revoked: revoked)) }
            throw error
        }
    }

    private func tell(_ news: QueueIntake.News) async throws {
        let namespaces = Array(news.moved.keys)
        for start in stride(from: 0, to: namespaces.count, by: limits.lookup) {
            let part = Array(namespaces[start..<min(start + limits.lookup, namespaces.count)])
            let pairs = try await database.read { try DeviceQueries($0).following(part) }
            try await addInBatches(
                pairs.compactMap { namespace, device in
                    guard let moved = news.moved[namespace], moved.author != device, !isParked(device) else {
                        return nil
                    }
                    return QueueAddition(device, .moved(Cursor(namespace: namespace, revision: moved.revision)))
                })
        }
    }

    private func addInBatches(_ additions: [QueueAddition]) async throws {
        for start in stride(from: 0, to: additions.count, by: limits.batch) {
            let part = Array(additions[start..<min(start + limits.batch, additions.count)])
            try await queue.add(part, at: clock.now())
        }
    }

    // MARK: Filling

    /// Adds what the journal knows for one page of devices, and ends the queues of those that were revoked.
    private func fill(_ filling: QueueIntake.Filling) async throws {
        let now = clock.now()
        let (size, removals) = (limits.page, limits.removals)
        let (page, additions) = try await database.read { connection in
            let page = try DeviceQueries(connection).page(after: filling.after, atMost: size)
            var truth = QueueTruth(connection)
            let additions = try page.filter { $0.revoked == nil }.flatMap { device in
                try truth.entries(of: device.device, account: device.account).map { QueueAddition(device.device, $0) }
            }
            return (page, additions)
        }
        let ended = page.filter { $0.revoked.map { $0.advanced(by: removals) > now } ?? false }
        try await queue.remove(ended.map(\.device), at: now)
        // Who is parked now has shown its cursors, and is told what moves.
        try await addInBatches(additions.filter { !isParked($0.device) })
        change { $0.advance(filling, to: page.count < size ? nil : page.last?.device) }
    }
}
