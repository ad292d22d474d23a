import Messaging

/// What one process has published and heard: a state machine without connection or lock. `Waiter` stands for whoever waits
/// for a message to be published.
///
/// While both connections are there, the process hears its own messages as the others do, in the one order of the server.
/// While one is not, it hears them at once, and what it heard so is passed over when it comes back. So a process misses
/// nothing of its own, whatever becomes of Redis.
struct BusLedger<Waiter> {
    /// What the receivers of this process are to be told.
    enum Telling: Hashable {
        case message(BusMessage)
        case gap
    }

    private struct Entry {
        let packet: BusPacket
        var waiter: Waiter?
    }

    private let instance: BusInstanceID
    private let capacity: Int
    private var number: UInt64 = 0
    private var waiting: [Entry] = []
    private var underWay: [Entry] = []
    /// Own packets that were not heard yet, in order.
    private var unheard: [BusPacket] = []
    /// The number of the last packet of each other instance that was heard over this connection.
    private var known: [BusInstanceID: UInt64] = [:]
    private var isLossTold = true
    private(set) var isPublishing = false
    private(set) var isHearing = false

    /// The most other instances whose numbers are kept.
    private static var mostKnown: Int { 1024 }

    init(instance: BusInstanceID, capacity: Int) {
        self.instance = instance
        self.capacity = capacity
    }

    /// How many messages wait to be published.
    var backlog: Int { waiting.count + underWay.count }

    // MARK: Publishing

    /// Adds a message.
    /// - Returns: The waiter when there is nothing to wait for.
    mutating func add(_ message: BusMessage, _ waiter: Waiter) -> (tell: [Telling], done: Waiter?) {
        let packet = next(message)
        guard backlog < capacity, unheard.count < capacity else {
            isLossTold = false
            return (tellUnheard() + [.message(message)], waiter)
        }
        guard isPublishing, isHearing else {
            waiting.append(Entry(packet: packet, waiter: isPublishing ? waiter : nil))
            return ([.message(message)], isPublishing ? nil : waiter)
        }
        waiting.append(Entry(packet: packet, waiter: waiter))
        unheard.append(packet)
        return ([], nil)
    }

    /// Takes what is to be sent now, at most `limit` messages; nothing without a connection. Until
    /// ``sent()`` or ``publisherLost()`` nothing more is to be taken.
    mutating func take(atMost limit: Int) -> [BusPacket] {
        guard isPublishing else { return [] }
        underWay = Array(waiting.prefix(limit))
        waiting.removeFirst(underWay.count)
        if !isLossTold, waiting.isEmpty {
            // Behind the others: numbers go up.
            underWay.append(Entry(packet: next(.resumed), waiter: nil))
            isLossTold = true
        }
        return underWay.map(\.packet)
    }

    /// Notes that the server has what was taken.
    /// - Returns: Who waited for it.
    mutating func sent() -> [Waiter] {
        defer { underWay = [] }
        return underWay.compactMap(\.waiter)
    }

    mutating func publisherConnected() { isPublishing = true }

    /// Notes that the connection for publishing is lost. What was under way may have arrived or not.
    /// - Returns: Everybody who waits; what was not taken yet goes out later.
    mutating func publisherLost() -> (tell: [Telling], done: [Waiter]) {
        isPublishing = false
        if !underWay.isEmpty { isLossTold = false }
        let done = (underWay + waiting).compactMap(\.waiter)
        underWay = []
        for index in waiting.indices { waiting[index].waiter = nil }
        return (tellUnheard(), done)
    }

    // MARK: Hearing

    /// Notes that from now on everything is heard. What came before may have been missed.
    mutating func subscriberConnected() -> [Telling] {
        isHearing = true
        known = [:]
        return [.gap]
    }

    mutating func subscriberLost() -> [Telling] {
        isHearing = false
        return tellUnheard()
    }

    /// Takes a packet that came.
    mutating func hear(_ packet: BusPacket) -> [Telling] {
        if packet.instance == instance {
            // Own packets come in order: what is before it and did not come will not come.
            let count = unheard.prefix { $0.number <= packet.number }.count
            defer { unheard.removeFirst(count) }
            return unheard.prefix(count).map { .message($0.message) }
        }
        let last = known[packet.instance]
        if let last, packet.number <= last { return [] }
        var tell: [Telling] = []
        if known.count >= Self.mostKnown, last == nil {
            known = [:]
            tell.append(.gap)
        }
        known[packet.instance] = packet.number
        let isNext = last.map { packet.number == $0 + 1 } ?? true
        if !isNext || packet.message == .resumed { tell.append(.gap) }
        if packet.message != .resumed { tell.append(.message(packet.message)) }
        return tell
    }

    private mutating func next(_ message: BusMessage) -> BusPacket {
        number += 1
        return BusPacket(instance: instance, number: number, message: message)
    }

    private mutating func tellUnheard() -> [Telling] {
        defer { unheard = [] }
        return unheard.map { .message($0.message) }
    }
}
