public import Messaging
import Model

/// The bounds of a bus over Redis.
public struct RedisBusLimits: Hashable, Sendable {
    /// The channel: one channel is one bus.
    public var channel = "cairn:bus"
    /// How many messages may wait to be published; more are lost, and leave a gap: 4,096 by default.
    public var unpublished = 4096
    /// After this time without a word from the server the connection counts as lost: 3 seconds by default. After a third
    /// of it the server is asked.
    public var silence = Duration.seconds(3)

    /// Makes the default bounds.
    public init() {}
}

/// What of a bus over Redis is worth watching.
public struct RedisBusStatus: Hashable, Sendable {
    /// Whether everything is published and heard.
    public let isConnected: Bool
    /// How many gaps its receivers were shown: one for each connection, and one whenever a message was lost.
    public let gaps: Int
    /// How many messages wait to be published.
    public let backlog: Int
}

/// The bus of several servers, over a channel of Redis 7.
///
/// Each message names the instance that published it and its number there, so that everybody sees when one is left out.
/// The events are numbered anew in this process: after each connection, the first one too, and whenever an instance's
/// numbers show a gap or it says that it lost something, a number is left out.
///
/// Redis keeps no messages: what is published while nobody is connected is gone, and the gap that everybody sees on
/// coming back stands for it. While this process is cut off, its own receivers hear what it publishes all the same.
public final class RedisChangeBus: ChangeBus {
    /// What became of the connection.
    public enum Connection: Hashable, Sendable {
        /// Everything is heard and published from now on.
        case made
        /// It is not, for this reason; it is tried again. Told once, however often the attempts fail.
        case lost(RedisError)
    }

    private let shared: RedisBusState
    private let threads: [RedisThread]

    /// Begins to connect.
    /// - Parameters:
    ///   - endpoint: the server.
    ///   - limits: the bounds.
    ///   - generator: where the instance's name and the jitter of pauses come from.
    ///   - report: told of what becomes of the connection, on a thread of the bus; it must not publish.
    /// - Throws: ``RedisError`` `unsuitable` when the process has no descriptors left.
    public init(
        _ endpoint: RedisEndpoint, limits: RedisBusLimits = RedisBusLimits(),
        generator: some RandomNumberGenerator & Sendable,
        report: @escaping @Sendable (Connection) -> Void = { _ in }
    ) throws {
        var generator = generator
        let shared = try RedisBusState(
            instance: BusInstanceID(using: &generator), capacity: limits.unpublished, report: report)
        self.shared = shared
        let thread = RedisBusThread(endpoint: endpoint, limits: limits, shared: shared)
        threads = [
            RedisThread("cairn-redis-publish") { [generator] in thread.publish(generator) },
            RedisThread("cairn-redis-listen") { [generator] in thread.listen(generator) },
        ]
    }

    deinit { shared.close() }

    /// How it is now.
    public var status: RedisBusStatus { shared.status }

    /// Publishes a message. It returns when the server has it, or at once while there is no connection; then the message
    /// goes out later or becomes a gap. At the longest it takes as long as a command may.
    public func publish(_ message: BusMessage) async {
        await withCheckedContinuation { shared.publish(message, $0) }
    }

    /// Adds a receiver, which is called on a thread of the bus or of a task that publishes.
    public func subscribe(_ receive: @escaping @Sendable (BusEvent) -> Void) -> BusSubscription {
        shared.local.subscribe(receive)
    }

    /// Hangs up, for good, and waits for the threads to end.
    public func close() async {
        shared.close()
        for thread in threads { await thread.wait() }
    }
}
