/// The appends that wait to be stored, and who stores next: a pure state machine.
///
/// So many packs are stored at a time; an append that finds room leads a pack of its own at once. What arrives while all
/// are taken waits, and whoever ends a pack leaves its place to the first that waits, together with as much of the rest
/// as fits: the slower the regions and the more there is to store, the larger are the packs.
struct GroupQueue<Waiter: Sendable>: Sendable {
    /// Records that are stored together, and who waits for them.
    struct Entry: Sendable {
        let records: [[UInt8]]
        /// With the headers of the records.
        let bytes: Int
        let waiter: Waiter
    }

    /// What becomes of an append.
    enum Admission {
        /// It stores these, its own among them.
        case lead([Entry])
        case waiting
        /// Too much is waiting already.
        case refused
    }

    private let places: Int
    private let limit: Int
    private let capacity: Int
    private var waiting: [Entry] = []
    private(set) var busy = 0
    /// Bytes that were let in and are not settled.
    private(set) var pendingBytes = 0

    /// Makes an empty queue.
    /// - Parameters:
    ///   - places: How many packs are stored at a time.
    ///   - limit: The most bytes of one.
    ///   - capacity: The most bytes that may be pending; one append alone may have more.
    init(places: Int, limit: Int, capacity: Int) {
        self.places = places
        self.limit = limit
        self.capacity = capacity
    }

    /// Whether nothing is being stored.
    var isIdle: Bool { busy == 0 && waiting.isEmpty }

    /// Lets an append in, or turns it away.
    mutating func admit(_ entry: Entry) -> Admission {
        guard isIdle || pendingBytes + entry.bytes <= capacity else { return .refused }
        pendingBytes += entry.bytes
        if busy < places {
            busy += 1
            return .lead([entry])
        }
        waiting.append(entry)
        return .waiting
    }

    /// Ends a pack; answers what is to be stored in its place, led by the first of it.
    mutating func finish(_ entries: [Entry]) -> [Entry]? {
        pendingBytes -= entries.reduce(0) { $0 + $1.bytes }
        guard let first = waiting.first else {
            busy -= 1
            return nil
        }
        var size = first.bytes
        var count = 1
        while count < waiting.count, size + waiting[count].bytes <= limit {
            size += waiting[count].bytes
            count += 1
        }
        defer { waiting.removeFirst(count) }
        return Array(waiting.prefix(count))
    }
}
