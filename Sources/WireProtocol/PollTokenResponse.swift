/// The answer to `POST /v1/poll/token`: what a device polls with, and where.
public struct PollTokenResponse: Codable, Hashable, Sendable {
    /// The poll token.
    public var token: String
    /// Until when it is good, in seconds since 1970 by the server's clock.
    public var expires: UInt64
    /// For how many seconds it is good from now on: for devices whose clock is wrong.
    public var lifetime: UInt64
    /// Where to poll: base URLs, to one of which `/v1/poll` is added. Empty: at the server that was asked.
    public var servers: [String]

    /// Makes an answer of its parts.
    public init(token: String, expires: UInt64, lifetime: UInt64, servers: [String]) {
        self.token = token
        self.expires = expires
        self.lifetime = lifetime
        self.servers = servers
    }
}
