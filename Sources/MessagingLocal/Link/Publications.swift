import Messaging

/// The messages that a process has yet to publish, or of which it does not know yet that they reached the bus: a state
/// machine without connection or lock. `Waiter` stands for whoever waits for a message to be published.
///
/// A connection that is lost leaves it unknown what became of the messages that were on their way: the next connection
/// begins by saying so, and the server lets everybody see a gap.
struct Publications<Waiter> {
    private struct Entry {
        let message: BusMessage
        var waiter: Waiter?
    }

    let capacity: Int
    private var waiting: [Entry] = []
    private var underWay: [Waiter?] = []
    private(set) var isConnected = false
    private var isLossKnown = true

    init(capacity: Int) {
        self.capacity = capacity
    }

    /// How many messages are on their way and not acknowledged.
    var underWayCount: Int { underWay.count }

    /// Adds a message.
    /// - Returns: The waiter when there is nothing to wait for: without a connection the message goes out later, and
    ///   when too many wait already it becomes a gap.
    mutating func add(_ message: BusMessage, _ waiter: Waiter) -> Waiter? {
        guard waiting.count + underWay.count < capacity else {
            isLossKnown = false
            return waiter
        }
        waiting.append(Entry(message: message, waiter: isConnected ? waiter : nil))
        return isConnected ? nil : waiter
    }

    /// Notes that the server has greeted.
    mutating func connect() { isConnected = true }

    /// Takes what is to be sent now; nothing without a connection.
    mutating func take() -> [BusFrame] {
        guard isConnected else { return [] }
        defer { waiting = [] }
        underWay += waiting.map(\.waiter)
        let loss: [BusFrame] = isLossKnown ? [] : [.lost]
        isLossKnown = true
        return loss + waiting.map { .publish($0.message) }
    }

    /// Notes that the oldest message on its way has reached the bus.
    /// - Returns: Who waited for it.
    /// - Throws: ``BusSocketError`` `malformed` when none is on its way.
    mutating func acknowledge() throws(BusSocketError) -> Waiter? {
        guard !underWay.isEmpty else {
            throw BusSocketError(.malformed, "the server acknowledged a message that was not sent")
        }
        return underWay.removeFirst()
    }

    /// Notes that the connection is lost.
    /// - Returns: Everybody who waits: what they published goes out later, or becomes a gap.
    mutating func disconnect() -> [Waiter] {
        isConnected = false
        if !underWay.isEmpty { isLossKnown = false }
        defer {
            underWay = []
            for index in waiting.indices { waiting[index].waiter = nil }
        }
        return underWay.compactMap { $0 } + waiting.compactMap(\.waiter)
    }
}
