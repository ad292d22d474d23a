import Model

/// The polls that are parked, and what ends them: a state machine without clock, lock or connection.
///
/// A poll is parked first; the heads of its namespaces are read after that, and handed to ``learn(heads:into:)``. A change
/// that is durable before that read is found by the comparison; one that becomes durable later is told by a notice that
/// finds the poll parked. So no wake-up falls between the two. As long as polls are parked on a namespace and no news
/// goes missing, its head stays known, and further polls are compared when they park, without another read.
///
/// Every poll that is parked ends exactly once: each operation adds the polls that it ends to the array that it is handed.
/// Operations take time in proportion to the polls that they end, or to the cursors of the polls that they name, unless
/// they say otherwise.
///
/// The tables are plain structs, reserved at the start for all polls that may be parked. Memory is used as they fill,
/// some 100 bytes for a poll with one cursor, and nothing is allocated for each poll.
public struct NotificationHub: ~Copyable {
    /// The end of one poll.
    public struct Ended: Hashable, Sendable {
        /// The poll.
        public let ticket: PollTicket
        /// What its driver gave when it was parked.
        public let owner: UInt64
        /// What to tell it.
        public let answer: PollAnswer

        /// Makes an end of its parts.
        public init(ticket: PollTicket, owner: UInt64, answer: PollAnswer) {
            self.ticket = ticket
            self.owner = owner
            self.answer = answer
        }
    }

    var polls: KeyedTable<PollSlot>
    var interests: SlotTable<InterestSlot>
    var namespaces: KeyedTable<NamespaceSlot>

    /// The polls by the second of their deadline, modulo the number of lists.
    var wheel = [UInt32](repeating: .nowhere, count: Self.wheelSize)
    var second: UInt64 = 0
    var issued: UInt32 = 0

    /// The sequence of the last event, so that a gap is noticed. A first event that is not the first of its bus shows
    /// one, too: polls may have been parked before it.
    var sequence: UInt64 = 0
    /// How often news went missing: heads that were known before are so no longer.
    var age: UInt32 = 0
    var gapCount: UInt64 { UInt64(age) }

    /// The namespaces whose heads are to be read, in the order in which they came.
    var firstUnread: UInt32 = .nowhere
    var lastUnread: UInt32 = .nowhere
    var listedCount = 0
    var readingCount = 0
    /// After a gap, the place from which on namespaces are looked through for heads that have become unknown.
    var swept: UInt32?

    var revocations = RecentRevocations()
    /// Once the hub drains, the place from which on polls are ended.
    var drained: UInt32?

    static var wheelSize: Int { 4096 }
    /// How long a poll that only looks waits for its heads, in seconds.
    static var lookPatience: UInt32 { 10 }

    /// Makes a hub that parks at most `capacity` polls.
    ///
    /// - Parameters:
    ///   - capacity: the most polls.
    ///   - cursors: the most cursors that they have all together; four times as many when it is nil.
    public init(capacity: Int, cursors: Int? = nil) {
        let cursors = cursors ?? 4 * capacity
        polls = KeyedTable(capacity: capacity)
        interests = SlotTable(capacity: cursors)
        namespaces = KeyedTable(capacity: cursors)
    }

    /// How many polls, and so how many devices, are parked.
    public var count: Int { polls.count }

    /// How many cursors they have.
    public var cursorCount: Int { interests.count }

    /// How many namespaces they name, with those whose heads are just being read.
    public var namespaceCount: Int { namespaces.count }

    /// How many namespaces wait for their first reading or are being read; those that have to be read again after a gap
    /// are not counted.
    public var unreadCount: Int { listedCount + readingCount }

    /// Whether ``nextUnread(atMost:)`` may have something to hand out.
    public var hasUnread: Bool { listedCount > 0 || swept != nil }

    /// How many bytes of the tables are in use.
    public var bytesInUse: Int {
        polls.bytes + interests.bytes + namespaces.bytes + Self.wheelSize * MemoryLayout<UInt32>.stride
    }
}
