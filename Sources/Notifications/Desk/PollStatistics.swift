/// What a ``PollDesk`` holds and has done.
public struct PollStatistics: Hashable, Sendable {
    /// Polls that are parked.
    public var parked = 0
    /// Namespaces that parked polls name.
    public var namespaces = 0
    /// Namespaces whose heads wait to be read.
    public var unread = 0
    /// Bytes that the tables use.
    public var bytes = 0
    /// Polls parked since the start.
    public var admitted: UInt64 = 0
    /// Polls refused since the start.
    public var refused: UInt64 = 0
    /// Heads read since the start.
    public var headsRead: UInt64 = 0
    /// Reads of heads that failed since the start.
    public var failedReads: UInt64 = 0
    /// Times that news was found to be missing since the start.
    public var gaps: UInt64 = 0

    /// Nothing yet.
    public init() {}
}
