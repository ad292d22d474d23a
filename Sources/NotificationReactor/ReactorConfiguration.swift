/// How much a ``NotificationReactor`` holds, and how long it has patience with whom. Times are in whole seconds.
public struct ReactorConfiguration: Sendable {
    /// The numeric address to listen on, IPv4 or IPv6.
    public var address = "127.0.0.1"
    /// The port; 0 for one that is free.
    public var port: UInt16 = 0
    /// The most polls that are parked at once.
    public var capacity = 10_000
    /// The fewest threads. There are more when one file table can't hold the capacity.
    public var threads = 1
    /// The most open files of one file table; nil for the limit of the process.
    public var files: Int?
    /// The longest poll.
    public var longestPoll: UInt32 = 600
    /// For how long a connection may stay open between requests.
    public var idle: UInt32 = 60
    /// How long a request may take from its first byte to its last.
    public var request: UInt32 = 10
    /// How long a peer may take to read an answer.
    public var answer: UInt32 = 10
    /// How long a connection that was refused stays open for the peer to read why.
    public var linger: UInt32 = 2
    /// How long the reactor waits for the last answers to be read when it stops.
    public var farewell: UInt32 = 5
    /// The most connections of a thread whose request or answer is there in part.
    public var buffers = 1_024
    /// The most connections that wait to be accepted, for each thread.
    public var backlog = 4_096

    /// The usual configuration: loopback, any port.
    public init() {}
}
