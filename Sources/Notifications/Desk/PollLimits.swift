/// How much a ``PollDesk`` holds, and how it reads and stops.
public struct PollLimits: Sendable {
    /// The most polls that are parked at once.
    public var capacity = 100_000
    /// The most cursors that parked polls have all together; nil for four times the capacity.
    public var cursors: Int?
    /// The most heads that are read in one call.
    public var batch = 500
    /// The most calls that read heads at one time.
    public var readers = 2
    /// How long a reader lets namespaces gather after it has read fewer than it could: in a crowd one call then reads the
    /// heads of many, and without one the first poll is not held up.
    public var gathering = Duration.milliseconds(20)
    /// The most namespaces that wait for their heads to be read before polls are refused.
    public var waiting = 200_000
    /// How long a poll may have to wait for its heads, as the readings go, before polls are refused.
    public var patience = Duration.seconds(10)
    /// The fewest polls that a wave ends when the server stops.
    public var wave = 1_000
    /// In how many waves the polls end at most.
    public var waves = 50
    /// The pause after a wave.
    public var pause = Duration.milliseconds(200)

    /// The usual limits.
    public init() {}
}
