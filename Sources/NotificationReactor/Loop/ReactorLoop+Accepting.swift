import CLinux
import Glibc

/// How connections come.
extension ReactorLoop {
    /// How many connections are accepted in one round, before those that are there have their turn again.
    private static let batch = 256

    /// Takes the turns that were passed on to this loop, or dealt out to it at first.
    mutating func takeTurns() {
        let version = shared.turns.version
        guard version != turnsSeen, phase == .running else { return }
        turnsSeen = version
        let now = shared.turns.held(by: index).map { listeners[$0] }
        for listener in now where !held.contains(listener) {
            held.append(listener)
            // What fails now is tried again with the pause.
            if !isPaused, epoll.add(listener, for: Epoll.listener) != 0 { pause() }
        }
    }

    /// Accepts the connections that have come, as far as there is room. Where there is none it is another loop's turn; when
    /// all are full, those give way that can be spared; and without such, the rest waits in the kernel.
    mutating func accept() {
        if isPaused { arrivals = held }
        guard !arrivals.isEmpty else { return }
        defer { arrivals.removeAll(keepingCapacity: true) }
        var left = Self.batch
        var mayPass = phase == .running
        for listener in arrivals {
            while left > 0 {
                if mayPass, hasHadItsShare {
                    if passTurns() { return }
                    mayPass = false
                }
                guard let descriptor = next(of: listener) else { break }
                left -= 1
                begin(descriptor)
                closeEnded()
            }
            // Emptied by a pause.
            guard !arrivals.isEmpty else { return }
        }
        unpause()
    }

    /// One connection of a listener; nil when there is none, or no room for it.
    private mutating func next(of listener: Int32) -> Int32? {
        while true {
            guard !isFull || queues.leastMissed != nil else {
                pause()
                return nil
            }
            let descriptor = cairn_accept(listener)
            if descriptor >= 0 {
                // Only now that somebody is there.
                if isFull { makeRoom() }
                return descriptor
            }
            switch errno {
            case EAGAIN, EBADF, EINVAL: return nil
            case EMFILE, ENFILE, ENOBUFS, ENOMEM:
                pause()
                return nil
            // That one connection failed before it was accepted.
            default: continue
            }
        }
    }

    private var isFull: Bool { counts.connections >= UInt64(shared.plan.connections) }

    /// Whether the loop has as many connections as it parks polls; what it holds beyond that is for the time in which all
    /// have.
    private var hasHadItsShare: Bool { counts.connections >= UInt64(shared.plan.polls) }

    /// Has another loop accept in this one's stead. False when all have had their share.
    private mutating func passTurns() -> Bool {
        let share = UInt64(shared.plan.polls)
        let loops = shared.records.count
        let heir = shared.turns.pass(
            from: index, candidates: (1..<max(1, loops)).lazy.map { [index] in ($0 + index) % loops }
        ) {
            shared.records[$0].last.connections < share
        }
        guard let heir else { return false }
        if !isPaused { for listener in held { epoll.remove(listener) } }
        held = []
        isPaused = false
        turnsSeen = shared.turns.version
        shared.mailboxes[heir].poke()
        return true
    }

    private mutating func makeRoom() {
        guard let spared = queues.leastMissed else { return }
        counts.evicted += 1
        disconnect(spared)
    }

    private mutating func begin(_ descriptor: Int32) {
        guard descriptor < table.count else {
            _ = close(descriptor)
            return
        }
        var connection = Connection()
        connection.loop = UInt8(index)
        connection.generation = table[descriptor].pointee.generation
        table[descriptor].initialize(to: connection)
        counts.connections += 1
        counts.accepted += 1
        queues.move(descriptor, to: .idle, now: now)
        // The listener hands over connections whose first bytes are there: most are parked before epoll hears of them.
        receive(descriptor)
        if table[descriptor].pointee.state != .free { watch(descriptor) }
    }

    /// Has epoll tell what happens to a connection, and whether there is room to send when that is waited for.
    mutating func watch(_ descriptor: Int32) {
        let awaitsRoom = table[descriptor].pointee.output >= 0
        let flags = table[descriptor].pointee.flags
        let interest = awaitsRoom ? Epoll.sending : Epoll.connection
        var failure: Int32 = 0
        if !flags.contains(.isWatched) {
            failure = epoll.add(descriptor, for: interest)
        } else if awaitsRoom != flags.contains(.awaitsRoom) {
            failure = epoll.change(descriptor, to: interest)
        }
        guard failure == 0 else { return disconnect(descriptor) }
        table[descriptor].pointee.flags.insert(.isWatched)
        if awaitsRoom {
            table[descriptor].pointee.flags.insert(.awaitsRoom)
        } else {
            table[descriptor].pointee.flags.remove(.awaitsRoom)
        }
    }

    private mutating func pause() {
        arrivals = []
        guard !isPaused else { return }
        isPaused = true
        for listener in held { epoll.remove(listener) }
    }

    private mutating func unpause() {
        guard isPaused else { return }
        isPaused = false
        for listener in held where epoll.add(listener, for: Epoll.listener) != 0 { return pause() }
    }

    /// Takes no connections any more.
    mutating func stopListening() {
        if !isPaused { for listener in held { epoll.remove(listener) } }
        for listener in held { Listeners.end(listener) }
        held = []
        isPaused = false
    }
}
