public import Model

/// Decides whether a poll may come in, by how much waits to be read already: a machine without clock or randomness.
///
/// What a crowd of coming polls wears out is the reading of heads. So there are as many places as the readers can take in a
/// moment; who finds one is in. Beyond them polls wait their turn, for as long as the readings that were measured let
/// expect it to come soon. The others are told when to come back: not before the turn would have been theirs, and
/// spread over as long again, so that they do not come together.
public struct PollAdmission: Sendable {
    /// What becomes of a poll that comes.
    public enum Decision: Hashable, Sendable {
        /// It is read for at once.
        case now
        /// It waits its turn.
        case queued
        /// It is sent away, and shall come back after so many seconds.
        case refused(retryAfter: UInt32)
    }

    /// How many heads are read in a second, as measured; before the first measurement a careful guess.
    public private(set) var rate: Double
    private let places: Int
    private let most: Int
    private let patience: Double

    /// The longest that a device is sent away for, in seconds, before it is spread.
    static let longest = 60.0
    private static let slowest = 20.0

    /// Makes an admission.
    ///
    /// - Parameters:
    ///   - places: how many heads the readers take in one go.
    ///   - most: how many heads may wait at most, however fast they are read.
    ///   - patience: how long a poll may have to wait for its turn.
    ///   - rate: what to expect before the first measurement, in heads a second.
    public init(places: Int, most: Int, patience: Duration, rate: Double = 5000) {
        self.places = places
        self.most = most
        self.patience = patience / .seconds(1)
        self.rate = rate
    }

    /// How many heads may wait now before polls are sent away.
    public var limit: Int { max(places, min(most, Int(rate * patience))) }

    /// Decides on a poll.
    ///
    /// - Parameters:
    ///   - waiting: how many heads wait to be read or are being read.
    ///   - device: who polls: where within the spread it is sent depends on it, and on `turn`.
    ///   - turn: a number that differs from one decision to the next.
    /// - Returns: What becomes of the poll.
    public func decide(waiting: Int, device: DeviceID, turn: UInt64) -> Decision {
        if waiting < places { return .now }
        if waiting < limit { return .queued }
        let wait = min(max(1, Double(waiting) / rate), Self.longest)
        let draw = Double((device.low ^ turn &* 0x9e37_79b9_7f4a_7c15) >> 11) / Double(UInt64(1) << 53)
        return .refused(retryAfter: UInt32((wait * (1 + draw)).rounded(.up)))
    }

    /// Takes what a reading took, when there was more to read than it could take.
    ///
    /// - Parameters:
    ///   - heads: how many heads it read.
    ///   - duration: how long that took.
    ///   - readers: how many readings run beside each other.
    public mutating func measured(heads: Int, in duration: Duration, readers: Int) {
        let seconds = max(duration / .seconds(1), 1e-6)
        let sample = Double(heads * readers) / seconds
        rate = max(Self.slowest, rate + (sample - rate) / 8)
    }

    /// Takes that a reading failed: as long as this goes on, less and less is let in.
    public mutating func failed() {
        rate = max(Self.slowest, rate / 2)
    }
}
