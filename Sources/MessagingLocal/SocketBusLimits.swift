/// The bounds of a bus over a socket.
public struct SocketBusLimits: Hashable, Sendable {
    /// How many other processes may be connected to the server at once.
    public var peers = 64
    /// How many bytes may wait for one of them, twice; a process for which there is more has fallen behind, and is cut
    /// off. 1 MiB by default, which is some 20,000 messages.
    public var backlog = 1 << 20
    /// How many messages may wait to be published by a process that is cut off; more are lost, and leave a gap.
    public var unpublished = 4096
    /// How long the other side may take to greet, and the server to acknowledge a message.
    public var patience = Duration.seconds(5)
    /// The bound of the first pause before a process connects again.
    public var firstPause = Duration.milliseconds(50)
    /// The bound of any such pause.
    public var longestPause = Duration.seconds(5)

    /// Makes the default bounds.
    public init() {}
}
