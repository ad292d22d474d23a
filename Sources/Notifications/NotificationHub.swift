public import Messaging
public import Model

/// Names one poll for as long as it is parked.
public struct PollTicket: Hashable, Sendable {
    let number: UInt64
}

/// The polls that are parked, and what ends them: a state machine without clock, lock or connection.
///
/// A poll is parked first; then the caller reads the heads of its namespaces and hands them to ``compare(_:heads:)``.
/// A change that is durable before that read is found by the comparison, one that becomes durable after it is told by
/// a notice that finds the poll parked. So no wake-up falls between the two.
///
/// Every poll that was parked is answered exactly once. All operations but ``drain()`` and ``gap()`` take time in
/// proportion to the polls that they answer, or to the cursors of the one poll that they name.
public struct NotificationHub {
    /// The end of one poll.
    public struct Ended: Hashable, Sendable {
        /// The poll.
        public let ticket: PollTicket
        /// What to tell it.
        public let answer: PollAnswer
    }

    struct Parked {
        let device: DeviceID
        let deadline: UInt64
        let cursors: [NamespaceID: Revision]
    }

    private let capacity: Int
    private var issued: UInt64 = 0
    private var parked: [PollTicket: Parked] = [:]
    private var byDevice: [DeviceID: PollTicket] = [:]
    private var byNamespace: [NamespaceID: Set<PollTicket>] = [:]
    private var byDeadline: [UInt64: Set<PollTicket>] = [:]
    private var second: UInt64 = 0
    private var sequence: UInt64?
    private var drained = false

    /// Makes a hub that parks at most `capacity` polls.
    public init(capacity: Int) {
        self.capacity = capacity
    }

    /// How many polls are parked.
    public var count: Int { parked.count }

    /// Whether a poll of a device is parked.
    public func isParked(_ device: DeviceID) -> Bool { byDevice[device] != nil }

    /// Parks a poll until it is answered, at the latest `timeout` seconds from now. It takes the place of the device's
    /// poll before, which ends as `replaced`: a device has one.
    /// - Throws: ``PollError/overloaded`` when the hub is full.
    public mutating func park(
        device: DeviceID, cursors: [Cursor], timeout: UInt64
    ) throws(PollError) -> (ticket: PollTicket, ended: [Ended]) {
        var ended: [Ended] = []
        if let earlier = byDevice[device] { ended += end(earlier, .replaced) }
        guard parked.count < capacity else { throw .overloaded }
        issued += 1
        let ticket = PollTicket(number: issued)
        // The clock moves in whole seconds: one more, so that no poll ends before its time.
        let deadline = second + timeout + 1
        let positions = Dictionary(cursors.map { ($0.namespace, $0.revision) }, uniquingKeysWith: min)
        parked[ticket] = Parked(device: device, deadline: deadline, cursors: positions)
        byDevice[device] = ticket
        byDeadline[deadline, default: []].insert(ticket)
        for namespace in positions.keys { byNamespace[namespace, default: []].insert(ticket) }
        if drained { ended += end(ticket, .closing) }
        return (ticket, ended)
    }

    /// Compares a parked poll's cursors with heads that were read after it was parked, and ends it when one moved.
    /// A poll that has ended meanwhile stays as it is.
    public mutating func compare(_ ticket: PollTicket, heads: [Cursor]) -> [Ended] {
        guard let poll = parked[ticket] else { return [] }
        let moved = heads.compactMap { head -> MovedNamespace? in
            guard let seen = poll.cursors[head.namespace], head.revision > seen else { return nil }
            return MovedNamespace(namespace: head.namespace, revision: head.revision, pending: false)
        }
        return moved.isEmpty ? [] : end(ticket, .moved(moved))
    }

    /// Takes an event of the bus. When events are missing before it, every poll ends, so that its device looks again.
    public mutating func receive(_ event: BusEvent) -> [Ended] {
        defer { sequence = event.sequence }
        if let sequence, event.sequence != sequence + 1 { return gap() }
        switch event.message {
        case .changed(let notice): return wake(notice)
        case .revoked(let device): return byDevice[device].map { end($0, .revoked) } ?? []
        }
    }

    /// Ends every poll because notices may have been lost: each device finds out for itself what it missed.
    public mutating func gap() -> [Ended] { endAll(.timedOut) }

    /// Ends a poll whose connection is gone.
    public mutating func disconnect(_ ticket: PollTicket) -> [Ended] { end(ticket, .disconnected) }

    /// Ends a poll that did not want to wait longer.
    public mutating func expire(_ ticket: PollTicket) -> [Ended] { end(ticket, .timedOut) }

    /// Moves the time to `now`, in seconds from any fixed moment, and ends the polls whose time is over.
    public mutating func advance(to now: UInt64) -> [Ended] {
        guard now > second else { return [] }
        // A machine that slept may have passed many seconds: then walk the deadlines, not the seconds.
        let due =
            now - second < UInt64(byDeadline.count)
            ? (second + 1...now).filter { byDeadline[$0] != nil } : byDeadline.keys.filter { $0 <= now }.sorted()
        second = now
        return due.flatMap { deadline in
            (byDeadline[deadline] ?? []).sorted { $0.number < $1.number }.flatMap { end($0, .timedOut) }
        }
    }

    /// Ends every poll, and from now on each new one at once: the server stops.
    public mutating func drain() -> [Ended] {
        drained = true
        return endAll(.closing)
    }

    private mutating func wake(_ notice: ChangeNotice) -> [Ended] {
        guard let tickets = byNamespace[notice.namespace] else { return [] }
        let moved = MovedNamespace(
            namespace: notice.namespace, revision: notice.revision, pending: notice.kind == .pending)
        var ended: [Ended] = []
        for ticket in tickets {
            guard let poll = parked[ticket], let seen = poll.cursors[notice.namespace] else { continue }
            switch notice.kind {
            case .uploaded where notice.revision > seen: ended += end(ticket, .moved([moved]))
            // Who announces a file knows of it.
            case .pending where poll.device != notice.device: ended += end(ticket, .moved([moved]))
            default: break
            }
        }
        return ended
    }

    private mutating func endAll(_ answer: PollAnswer) -> [Ended] {
        parked.keys.sorted { $0.number < $1.number }.flatMap { end($0, answer) }
    }

    private mutating func end(_ ticket: PollTicket, _ answer: PollAnswer) -> [Ended] {
        guard let poll = parked.removeValue(forKey: ticket) else { return [] }
        if byDevice[poll.device] == ticket { byDevice[poll.device] = nil }
        byDeadline.remove(ticket, from: poll.deadline)
        for namespace in poll.cursors.keys { byNamespace.remove(ticket, from: namespace) }
        return [Ended(ticket: ticket, answer: answer)]
    }
}

extension Dictionary where Value == Set<PollTicket> {
    /// Takes a ticket out of the set at `key`; an empty set goes, so that the table does not grow for ever.
    fileprivate mutating func remove(_ ticket: PollTicket, from key: Key) {
        guard let index = index(forKey: key) else { return }
        values[index].remove(ticket)
        if values[index].isEmpty { remove(at: index) }
    }
}
