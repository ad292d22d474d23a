import RedisSupport

@testable import MessagingRedis

extension RedisServer {
    /// Does a command by a connection of its own.
    @discardableResult
    func call(_ command: RedisCommand) throws -> RedisReply {
        var endpoint = endpoint
        endpoint.limits.command = .seconds(5)
        return try RedisFinder.open(endpoint).call(command)
    }
}
