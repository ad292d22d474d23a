/// Who waits for what, and the way from one to the next.
struct ConnectionQueues {
    var idle: DeadlineQueue
    var receiving: DeadlineQueue
    var sending: DeadlineQueue
    var lingering: DeadlineQueue
    private let table: ConnectionTable

    /// Makes empty queues with the patience that a configuration has.
    init(_ configuration: ReactorConfiguration, table: ConnectionTable) {
        idle = DeadlineQueue(patience: configuration.idle)
        receiving = DeadlineQueue(patience: configuration.request)
        sending = DeadlineQueue(patience: configuration.answer)
        lingering = DeadlineQueue(patience: configuration.linger)
        self.table = table
    }

    /// Whether somebody has a deadline.
    var isWaiting: Bool { idle.count + receiving.count + sending.count + lingering.count > 0 }

    /// Lets a connection wait for something from now on. Where it waited for the same before, its time begins anew.
    mutating func move(_ descriptor: Int32, to state: Connection.State, now: UInt32) {
        switch table[descriptor].pointee.state {
        case .idle: idle.remove(descriptor, in: table)
        case .receiving: receiving.remove(descriptor, in: table)
        case .sending: sending.remove(descriptor, in: table)
        case .lingering: lingering.remove(descriptor, in: table)
        case .free, .parked: break
        }
        table[descriptor].pointee.state = state
        switch state {
        case .idle: idle.append(descriptor, in: table, now: now)
        case .receiving: receiving.append(descriptor, in: table, now: now)
        case .sending: sending.append(descriptor, in: table, now: now)
        case .lingering: lingering.append(descriptor, in: table, now: now)
        case .free, .parked: break
        }
    }

    /// One whose time is over.
    func due(now: UInt32) -> Int32? {
        receiving.due(in: table, now: now) ?? sending.due(in: table, now: now) ?? lingering.due(in: table, now: now)
            ?? idle.due(in: table, now: now)
    }

    /// Who can be spared when there is no room: who has been told all, who asks for nothing, who has taken longest to ask.
    var leastMissed: Int32? {
        let candidates = [lingering.first, idle.first, receiving.first]
        return candidates.first { $0 >= 0 }
    }
}
