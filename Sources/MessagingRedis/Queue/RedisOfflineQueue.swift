public import Messaging
public import Model
import Synchronization

/// An offline queue on a Redis 7 server, or on the master that Sentinels name.
///
/// Each call is one script, or one for every few hundred devices, so that it takes effect as a whole. Redis may lose what
/// it has acknowledged: when it starts anew, and when a replica takes its place. So every call names the run of the server
/// that it expects; on another one the queue gets a new identity and epoch, by which every device is marked, and the call
/// that found it out fails, so that a ``DoubledOfflineQueue`` takes over from the other half.
///
/// The server must not evict what has no lifetime: `maxmemory-policy` is `noeviction` or begins with `volatile-`.
public final class RedisOfflineQueue: OfflineQueueReplica {
    /// How a queue is kept.
    public struct Options: Hashable, Sendable {
        /// What the names of its keys begin with. One prefix is one queue.
        public var prefix = "cairn:queue:"
        /// How much it may hold.
        public var bounds = QueueBounds()
        /// How many replicas have to have a write before it counts as done: 0 by default. With 1, and two replicas, a
        /// failover loses nothing that was acknowledged, and a master that was cut off acknowledges nothing.
        public var copies = 0

        /// Makes the default options.
        public init() {}
    }

    private let pool: RedisPool
    let options: Options
    private let key: String
    /// The run of the server that this process works with; empty before it was attached.
    private let attached = Mutex("")
    private let generator: Mutex<any RandomNumberGenerator & Sendable>

    /// The most additions in one step of the server.
    static let batch = 256
    /// The most devices that are looked at in one step of the server, where each is a short look.
    static let scan = 200
    /// The most devices of which everything is read in one step of the server.
    static let readBatch = 32

    private init(
        _ endpoint: RedisEndpoint, _ options: Options, _ generator: any RandomNumberGenerator & Sendable
    ) {
        self.options = options
        key = options.prefix + "state"
        pool = RedisPool(endpoint, "cairn-redis-queue", generator: generator)
        self.generator = Mutex(generator)
    }

    /// Opens the queue on a server; one that is not there yet is made.
    /// - Parameters:
    ///   - endpoint: the server.
    ///   - options: how the queue is kept.
    ///   - generator: where identities and the jitter of pauses come from.
    /// - Returns: The queue.
    /// - Throws: ``RedisError``: `unsuitable` for a server that is too old, or may evict the queue.
    public static func open(
        _ endpoint: RedisEndpoint, options: Options = Options(), generator: some RandomNumberGenerator & Sendable
    ) async throws -> RedisOfflineQueue {
        let queue = RedisOfflineQueue(endpoint, options, generator)
        do {
            _ = try await queue.call("peer", [], writes: false)
        } catch {
            await queue.pool.close()
            throw error
        }
        return queue
    }

    /// Adds entries.
    /// - Throws: ``RedisError``, ``QueueError``.
    public func add(_ additions: [QueueAddition], at moment: Timestamp) async throws {
        let head = [QueueWords.digits(moment.nanoseconds), text(options.bounds.entries)]
        for part in batches(additions, of: Self.batch) { try await call("add", head + QueueWords.groups(part)) }
    }

    /// What waits for a device.
    /// - Throws: ``RedisError``, ``QueueError``.
    public func entries(of device: DeviceID, atMost limit: Int) async throws -> QueueDelivery {
        let reply = try await call("entries", [QueueWords.device(device), text(limit)], writes: false).array()
        let form = try reply.first?.integer()
        if form == 0 { return .nothing }
        guard reply.count == (form == 2 ? 4 : 6), let identity = QueueID(hex: try reply[1].text()) else {
            throw RedisReply.unexpected
        }
        let position = QueuePosition(
            queue: identity, epoch: try reply[2].integer(), number: try reply[3].integer())
        if form == 2 { return QueueDelivery(entries: [], position: position, readFromCursor: true) }
        return QueueDelivery(
            entries: try QueueWords.entries(reply[5]), position: position,
            readFromCursor: try reply[4].integer() == 1)
    }

    /// Takes away what a delivery told.
    /// - Throws: ``RedisError``, ``QueueError``.
    @discardableResult
    public func acknowledge(_ position: QueuePosition, by device: DeviceID) async throws -> [QueueEntry] {
        try QueueWords.entries(
            await call(
                "acknowledge",
                [
                    QueueWords.device(device), text(position.queue.hex), text(position.epoch), text(position.number),
                    text(UInt64(clamping: position.number) + 1), text(options.bounds.remembered),
                ]))
    }

    /// Ends the queues of devices.
    /// - Throws: ``RedisError``, ``QueueError``.
    public func remove(_ devices: [DeviceID], at moment: Timestamp) async throws {
        for part in batches(devices, of: Self.batch) {
            try await call(
                "remove", [QueueWords.digits(moment.nanoseconds), []] + part.map { QueueWords.device($0) })
        }
    }

    /// Marks the devices of which an entry waits for too long.
    /// - Throws: ``RedisError``, ``QueueError``.
    @discardableResult
    public func expire(before moment: Timestamp) async throws -> Int {
        var marked = 0
        while true {
            let words = [QueueWords.digits(moment.nanoseconds), text(Self.readBatch)]
            let reply = try await call("expire", words).array()
            guard reply.count == 2 else { throw RedisReply.unexpected }
            marked += Int(try reply[0].integer())
            if try reply[1].integer() == 0 { return marked }
        }
    }

    /// How much it holds. What changes while it is counted may or may not be in it.
    /// - Throws: ``RedisError``, ``QueueError``.
    public func depth() async throws -> QueueDepth {
        var depth = QueueDepth()
        var last: [UInt8] = []
        repeat {
            let reply = try await call("depth", [last, text(Self.scan)], writes: false).array()
            guard reply.count == 4 else { throw RedisReply.unexpected }
            last = try reply[0].bytes()
            depth.entries += Int(try reply[1].integer())
            depth.devices += Int(try reply[2].integer())
            depth.marked += Int(try reply[3].integer())
        } while !last.isEmpty
        return depth
    }

    /// Waits for the calls that run, then hangs up.
    public func close() async throws { await pool.close() }

    // MARK: Calls

    /// Does an operation of the script.
    @discardableResult
    func call(_ operation: String, _ words: [[UInt8]], writes: Bool = true) async throws -> RedisReply {
        try await pool.perform { [self] session in
            // Another thread, or another process, may have found it out before: what this process wrote until now may
            // be lost all the same.
            if attached.withLock({ $0 }) != session.run { try attach(session) }
            do throws(RedisError) {
                return try perform(operation, words, writes, session)
            } catch {
                guard error.code == .failed, error.message.contains(QueueScript.strangerWord) else { throw error }
            }
            try attach(session)
            return try perform(operation, words, writes, session)
        }
    }

    private func perform(
        _ operation: String, _ words: [[UInt8]], _ writes: Bool, _ session: RedisSession
    ) throws(RedisError) -> RedisReply {
        try session.run(
            QueueScript.text, key: key, [text(operation), text(session.run)] + words,
            copies: writes ? options.copies : 0)
    }

    /// Makes the run of the server the one that is worked with.
    /// - Throws: ``QueueError`` `unavailable` when this process had written to another one, or to a storage that is gone.
    private func attach(_ session: RedisSession) throws {
        try requireSuitable(session)
        let previous = attached.withLock { $0 }
        let (identity, jump) = generator.withLock { generator in
            // Wide enough that no epoch comes twice, not even when Redis loses one.
            (QueueID(high: generator.next(), low: generator.next()), 1 + Int64(generator.next() >> 24))
        }
        let reply = try perform(
            "attach", [text(previous), text(identity.hex), text(jump)], true, session)
        attached.withLock { $0 = session.run }
        guard !previous.isEmpty, try reply.integer() != 0 else { return }
        throw QueueError(
            .unavailable, "Redis at \(session.address) may have lost what it had: devices will read from their cursors")
    }

    private func requireSuitable(_ session: RedisSession) throws(RedisError) {
        guard session.version >= 7 else {
            throw RedisError(
                .unsuitable, "Redis at \(session.address) is version \(session.version); the queue needs 7 or newer")
        }
        let policy = try session.facts("memory")["maxmemory_policy"] ?? ""
        guard policy == "noeviction" || policy.hasPrefix("volatile-") else {
            throw RedisError(
                .unsuitable,
                "Redis at \(session.address) may evict the queue: set maxmemory-policy to noeviction or volatile-lru, "
                    + "not \(policy)")
        }
    }

    func text(_ value: some CustomStringConvertible) -> [UInt8] { Array(value.description.utf8) }

    func batches<Element>(_ all: [Element], of size: Int) -> [ArraySlice<Element>] {
        stride(from: 0, to: all.count, by: size).map { all[$0..<min($0 + size, all.count)] }
    }
}
