/// The appends that wait to be written, and whose turn it is to write: a pure state machine.
///
/// There is no writer task. The first append that finds nobody writing leads: it writes what waits, its own records
/// first, as group after group until its own are done, then hands the lead to the next one waiting. So what arrives
/// during a sync rides in the next one, and the store does nothing when nobody calls it.
struct AppendQueue<Waiter: Sendable>: Sendable {
    /// Names one entry of the queue.
    struct Ticket: Hashable, Sendable {
        let number: UInt64
    }

    /// What became of an entry that asked to be let in.
    enum Admission: Equatable {
        /// It leads; nobody will resume it.
        case lead(Ticket)
        /// It waits until it is resumed.
        case waiting
        /// Too much is waiting already.
        case refused
    }

    /// The records of one write and one sync.
    struct Group: Sendable {
        fileprivate(set) var records: [FramedRecord] = []
        /// How many entries at the front of the queue have records in it.
        fileprivate(set) var entryCount = 0
        /// The bytes of the records with their headers.
        fileprivate(set) var frameBytes = 0
    }

    /// What a group's end brings to those who waited.
    struct Settlement {
        /// Entries that are done, with whom to tell.
        fileprivate(set) var finished: [(waiter: Waiter, outcome: Result<[PackLocation], StorageError>)] = []
        /// The outcome of the leader's own entry, when it is done.
        fileprivate(set) var own: Result<[PackLocation], StorageError>?
    }

    private struct Entry: Sendable {
        let ticket: Ticket
        let records: [FramedRecord]
        let isExclusive: Bool
        var locations: [PackLocation] = []
        /// Nil for the leader, which has been resumed already.
        var waiter: Waiter?
    }

    /// Payload bytes that wait.
    private(set) var waitingBytes = 0
    private let capacity: Int
    private var entries: [Entry] = []
    private var isLed = false
    private var nextNumber: UInt64 = 0

    init(capacity: Int) {
        self.capacity = capacity
    }

    /// Lets records in, or turns them away; a single append larger than the capacity is let in when nothing waits.
    mutating func admit(_ records: [FramedRecord], waiter: Waiter) -> Admission {
        let bytes = records.reduce(0) { $0 + $1.payload.count }
        guard entries.isEmpty || waitingBytes + bytes <= capacity else { return .refused }
        waitingBytes += bytes
        return enqueue(records, isExclusive: false, waiter: waiter)
    }

    /// Lets in an entry that wants the lead only to do something undisturbed by writes; never refused.
    mutating func admitExclusive(waiter: Waiter) -> Admission {
        enqueue([], isExclusive: true, waiter: waiter)
    }

    private mutating func enqueue(_ records: [FramedRecord], isExclusive: Bool, waiter: Waiter) -> Admission {
        let ticket = Ticket(number: nextNumber)
        nextNumber += 1
        let leads = !isLed
        isLed = true
        entries.append(
            Entry(ticket: ticket, records: records, isExclusive: isExclusive, waiter: leads ? nil : waiter))
        return leads ? .lead(ticket) : .waiting
    }

    /// The next records to write: at least one, and as many as fit into a number of bytes.
    func nextGroup(limit: Int) -> Group {
        var group = Group()
        for (place, entry) in entries.enumerated() {
            if entry.isExclusive { break }
            for record in entry.records[entry.locations.count...] {
                if !group.records.isEmpty, group.frameBytes + record.frameLength > limit { return group }
                group.records.append(record)
                group.frameBytes += record.frameLength
                group.entryCount = place + 1
            }
        }
        return group
    }

    /// Takes note of what became of a group: where its records lie, or why they do not.
    mutating func settle(_ group: Group, _ outcome: Result<[PackLocation], StorageError>) -> Settlement {
        var settlement = Settlement()
        var done = 0
        var rest = (try? outcome.get())?[...] ?? []
        for index in 0..<group.entryCount {
            if case .success = outcome {
                let missing = entries[index].records.count - entries[index].locations.count
                entries[index].locations += rest.prefix(missing)
                rest = rest.dropFirst(missing)
                guard entries[index].locations.count == entries[index].records.count else { continue }
            }
            done += 1
            let result = outcome.map { _ in entries[index].locations }
            if let waiter = entries[index].waiter {
                settlement.finished.append((waiter, result))
            } else {
                settlement.own = result
            }
        }
        // Only the last entry of a group can be unfinished, so those that are done lie at the front.
        remove(first: done)
        return settlement
    }

    /// Takes the leader's exclusive entry off.
    mutating func finishExclusive() { remove(first: 1) }

    /// Gives the lead to the next entry, which is to be resumed; nil when nobody waits.
    mutating func handOver() -> (waiter: Waiter, ticket: Ticket)? {
        guard let waiter = entries.first?.waiter else {
            isLed = false
            return nil
        }
        entries[0].waiter = nil
        return (waiter, entries[0].ticket)
    }

    private mutating func remove(first count: Int) {
        for entry in entries.prefix(count) {
            waitingBytes -= entry.records.reduce(0) { $0 + $1.payload.count }
        }
        entries.removeFirst(count)
    }
}

/// A payload with its checksum, which the appending task computes before it queues.
struct FramedRecord: Sendable {
    let payload: [UInt8]
    let checksum: UInt64

    init(_ payload: [UInt8]) {
        self.payload = payload
        checksum = Checksum.of(payload)
    }

    /// The length with the header.
    var frameLength: Int { PackFormat.recordHeaderLength + payload.count }
}
