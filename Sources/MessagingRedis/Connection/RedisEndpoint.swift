/// Where a Redis server, or a Sentinel, listens.
public struct RedisAddress: Hashable, Sendable, CustomStringConvertible {
    /// A name or an address.
    public let host: String
    /// The port.
    public let port: Int

    /// Makes an address of its parts.
    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Reads `host:port`, or `[host]:port` for an address with colons; nil for anything else.
    public init?(_ text: some StringProtocol) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0
        else { return nil }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
        } else if host.contains(":") {
            return nil
        }
        if host.isEmpty || host.contains(where: \.isWhitespace) { return nil }
        self.init(host: host, port: Int(port))
    }

    /// `host:port`.
    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// Which Redis to use, and how to reach it. The connection is not encrypted: it belongs on a private network.
public struct RedisEndpoint: Hashable, Sendable {
    /// Where the master is.
    public enum Location: Hashable, Sendable {
        /// At a fixed address.
        case server(RedisAddress)
        /// Where one of these Sentinels says that the master of this name is.
        case sentinels([RedisAddress], master: String)
    }

    /// Where the master is.
    public var location: Location
    /// The name to log in with; nil for the default user.
    public var user: String?
    /// The password of the server; nil when it wants none.
    public var password: String?
    /// The password of the Sentinels; nil when they want none, or that of the server.
    public var sentinelPassword: String?
    /// The number of the database.
    public var database: Int
    /// The bounds.
    public var limits = RedisLimits()

    /// Makes an endpoint without passwords.
    public init(_ location: Location, database: Int = 0) {
        self.location = location
        self.database = database
    }
}

/// How long what takes with a Redis server, and how much may wait.
public struct RedisLimits: Hashable, Sendable {
    /// For how long connecting may take, with logging in: half a second by default.
    public var connect = Duration.milliseconds(500)
    /// For how long each Sentinel may take to answer: 300 ms by default.
    public var sentinel = Duration.milliseconds(300)
    /// For how long a command may take: 1 second by default.
    public var command = Duration.seconds(1)
    /// After this time a connection is asked once more whether it leads to the same master: 1 second by default.
    public var recheck = Duration.seconds(1)
    /// The bound of the first pause before a new connection is tried.
    public var firstPause = Duration.milliseconds(50)
    /// The bound of any such pause. Within it, calls fail at once.
    public var longestPause = Duration.seconds(2)
    /// How many calls may wait for a connection: 256 by default. More fail at once.
    public var waiting = 256
    /// How many connections there are, each with a thread of its own: 2 by default.
    public var connections = 2

    /// Makes the default bounds.
    public init() {}
}
