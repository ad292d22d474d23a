import CLinux
import Glibc

/// How connections come.
extension ReactorLoop {
    /// How many connections are accepted in one round, before those that are there have their turn again.
    private static let batch = 256

    /// Accepts connections, as far as there is room. Where there is none, those give way that can be spared; without
    /// such, the rest waits in the kernel.
    mutating func accept() {
        guard listener >= 0 else { return }
        for _ in 0..<Self.batch {
            guard !isFull || queues.leastMissed != nil else { return pause() }
            let descriptor = cairn_accept(listener)
            if descriptor >= 0 {
                // Only now that somebody is there.
                if isFull { makeRoom() }
                begin(descriptor)
            } else if errno == EAGAIN {
                break
            } else if errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM {
                return pause()
            }
            // Else that one connection failed before it was accepted.
        }
        unpause()
    }

    private var isFull: Bool { counts.connections >= UInt64(shared.plan.connections) }

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
        guard !isPaused else { return }
        isPaused = true
        epoll.remove(listener)
    }

    private mutating func unpause() {
        guard isPaused, listener >= 0 else { return }
        isPaused = epoll.add(listener, for: Epoll.listener) != 0
    }

    /// Takes no connections any more.
    mutating func stopListening() {
        guard listener >= 0 else { return }
        _ = close(listener)
        listener = -1
        isPaused = false
    }
}
