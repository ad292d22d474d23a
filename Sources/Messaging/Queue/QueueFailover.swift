/// Which of two replicas of a queue may be read, and what has to be done so that both may: a state machine without clock
/// or storage. Times are durations since any fixed moment.
///
/// A replica that failed once is **out**: it may have missed something, so it is neither read nor written. After a pause
/// that grows with every failure it forgets what it had (**resetting**), then it is written again while it takes over
/// all that the other one has (**catching up**), and only then it is **current**. When there is no current other one, to
/// have forgotten is enough: then every device reads from its cursors, which is always right.
public struct QueueFailover: Hashable, Sendable {
    /// One of the two.
    public enum Side: Int, Hashable, Sendable, CaseIterable {
        /// The one that is read while it is current.
        case first
        /// The one that is read otherwise.
        case second

        /// The other one.
        public var other: Side { self == .first ? .second : .first }
    }

    /// What a replica is good for.
    public enum Condition: Hashable, Sendable {
        /// It has everything: written, and read when it is its turn.
        case current
        /// It forgets what it had: neither written nor read.
        case resetting
        /// It takes over what the other one has: written, not read.
        case catchingUp
        /// It failed: neither written nor read, before this time.
        case out(until: Duration)
    }

    /// What a replica said of the other one when the process began.
    public enum Word: Hashable, Sendable {
        /// It can't be asked.
        case unreachable
        /// That the other one has everything.
        case complete
        /// That the other one lacks something.
        case peerBehind
    }

    /// The way back of a replica that was out.
    public struct CatchUp: Hashable, Sendable {
        /// The replica.
        public let side: Side
        /// Whether the other one is current, so that all it has is to be taken over.
        public let isFromPeer: Bool
        /// Tells this attempt from earlier ones.
        let attempt: Int
    }

    /// The first pause after a failure.
    public static let shortestPause = Duration.seconds(1)
    /// The longest.
    public static let longestPause = Duration.seconds(30)

    /// How often a replica went out. What one replica takes alone is noted with it.
    public private(set) var term: Int64 = 1
    private var conditions: [Condition] = [.out(until: .zero), .out(until: .zero)]
    private var failures = [0, 0]
    private var generations = [0, 0]
    private var attempts = 0
    private var running: [CatchUp?] = [nil, nil]

    /// Makes the state in which nothing is known of either.
    public init() {}

    /// What may be done with a replica.
    public func condition(of side: Side) -> Condition { conditions[side.rawValue] }

    /// The replica to read; nil when none may be.
    public var readable: Side? { Side.allCases.first { condition(of: $0) == .current } }

    /// The replicas to write.
    public var writable: [Side] {
        Side.allCases.filter { condition(of: $0) == .current || condition(of: $0) == .catchingUp }
    }

    /// How often a replica went out: a write that failed before it did is tried again after it came back.
    public func generation(of side: Side) -> Int { generations[side.rawValue] }

    /// Takes what each replica said of the other one when the process began. A replica is current only when the other
    /// one can be asked, and says so.
    /// - Parameters:
    ///   - first: the word of the first.
    ///   - second: the word of the second.
    ///   - term: the newest term that was noted at either.
    public mutating func begin(first: Word, second: Word, term: Int64) {
        self.term = max(self.term, term + 1)
        let words = [first, second]
        for side in Side.allCases {
            let isVouchedFor = words[side.other.rawValue] == .complete && words[side.rawValue] != .unreachable
            conditions[side.rawValue] = isVouchedFor ? .current : .out(until: .zero)
        }
    }

    /// Notes that a replica failed a call.
    /// - Returns: Whether it was in use until then.
    @discardableResult
    public mutating func failed(_ side: Side, at now: Duration) -> Bool {
        // Calls that were begun before it went out fail late: they are no failures of their own.
        if case .out = condition(of: side) { return false }
        failures[side.rawValue] += 1
        generations[side.rawValue] += 1
        let growth = 1 << min(failures[side.rawValue] - 1, 5)
        conditions[side.rawValue] = .out(until: now + min(Self.longestPause, Self.shortestPause * growth))
        running[side.rawValue] = nil
        term += 1
        let other = side.other
        if running[other.rawValue]?.isFromPeer == true {
            // What it was to take over can't be read any more.
            running[other.rawValue] = nil
            conditions[other.rawValue] = .out(until: now)
        }
        return true
    }

    /// The ways back that are due, which begin now: the driver lets the replica forget and calls ``reset(_:)``.
    public mutating func due(at now: Duration) -> [CatchUp] {
        Side.allCases.compactMap { side in
            guard case .out(let until) = condition(of: side), until <= now else { return nil }
            switch condition(of: side.other) {
            // It will be current in a moment, and can be taken over then.
            case .resetting, .catchingUp: return nil
            case .current, .out: break
            }
            attempts += 1
            let way = CatchUp(side: side, isFromPeer: condition(of: side.other) == .current, attempt: attempts)
            conditions[side.rawValue] = .resetting
            running[side.rawValue] = way
            return way
        }
    }

    /// Notes that the replica has forgotten, durably: from now on it is written.
    /// - Returns: Whether the attempt still counts.
    public mutating func reset(_ way: CatchUp) -> Bool {
        guard running[way.side.rawValue] == way else { return false }
        conditions[way.side.rawValue] = .catchingUp
        return true
    }

    /// Whether an attempt still counts.
    public func isRunning(_ way: CatchUp) -> Bool { running[way.side.rawValue] == way }

    /// Notes that the replica has all that it was to take over.
    /// - Returns: The term up to which it lacks nothing; nil when the attempt does not count any more.
    public mutating func finished(_ way: CatchUp) -> Int64? {
        guard running[way.side.rawValue] == way else { return nil }
        conditions[way.side.rawValue] = .current
        running[way.side.rawValue] = nil
        failures[way.side.rawValue] = 0
        return term
    }
}
