import Logging
import Messaging
import MessagingRedis
import Metadata

/// What a process uses Redis for. It need not be there: what is made here connects by itself, whenever that is possible.
struct RedisParts {
    let log: Logger

    /// For how long a request may wait for a cache or a limit before it goes on without.
    private static let patience = Duration.milliseconds(250)

    func bus(_ endpoint: RedisEndpoint) throws -> RedisChangeBus {
        var limits = RedisBusLimits()
        // A channel is in no database: its name has to tell two installations apart.
        if endpoint.database != 0 { limits.channel += ":\(endpoint.database)" }
        return try RedisChangeBus(
            endpoint, limits: limits, generator: SystemRandomNumberGenerator(), report: BusReports.redis(log))
    }

    func cache(_ endpoint: RedisEndpoint) -> RedisMetadataCache {
        RedisMetadataCache(
            Self.hasty(endpoint), generator: SystemRandomNumberGenerator(), elapsed: Self.elapsed,
            report: report("the cache", without: "answers come from the database"))
    }

    func limiter(_ endpoint: RedisEndpoint) -> RedisRateLimiter {
        RedisRateLimiter(
            Self.hasty(endpoint), generator: SystemRandomNumberGenerator(), elapsed: Self.elapsed,
            report: report("the limits", without: "each process counts by itself"))
    }

    private static func hasty(_ endpoint: RedisEndpoint) -> RedisEndpoint {
        var endpoint = endpoint
        endpoint.limits.connect = patience
        endpoint.limits.sentinel = patience
        endpoint.limits.command = patience
        return endpoint
    }

    private static let start = ContinuousClock.now

    static let elapsed: @Sendable () -> Duration = { ContinuousClock.now - start }

    private func report(_ part: String, without: String) -> @Sendable (RedisAvailability) -> Void {
        { [log] availability in
            switch availability {
            case .back: log.notice("Redis answers again", metadata: ["part": "\(part)"])
            case .away(let cause):
                log.error(
                    "Redis does not answer: \(without)", metadata: ["part": "\(part)", "cause": "\(cause)"])
            }
        }
    }
}

extension BusReports {
    /// The connection to Redis.
    static func redis(_ log: Logger) -> @Sendable (RedisChangeBus.Connection) -> Void {
        { connection in
            switch connection {
            case .made: log.notice("the bus is connected to Redis")
            case .lost(let error):
                log.error(
                    "the bus is not connected to Redis; trying again", metadata: ["cause": "\(error)"])
            }
        }
    }
}

extension QueueReplicas {
    /// Two servers, which are connected to when they are first used.
    init(servers first: RedisEndpoint, _ second: RedisEndpoint) {
        self.init(first: Self.replica("first queue", first), second: Self.replica("second queue", second))
    }

    private static func replica(_ name: String, _ endpoint: RedisEndpoint) -> ReopeningOfflineQueue {
        ReopeningOfflineQueue(name) {
            try await RedisOfflineQueue.open(endpoint, generator: SystemRandomNumberGenerator())
        }
    }
}
