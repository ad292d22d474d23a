import CLinux
import Glibc
import Notifications

/// How answers go out, and connections end.
extension ReactorLoop {
    /// Sends the answer that the writer holds. What the kernel does not take now is kept until it does.
    mutating func send(_ descriptor: Int32) {
        let bytes = writer.bytes
        let sent = cairn_send(descriptor, bytes.baseAddress, bytes.count)
        if sent == bytes.count { return sentAll(descriptor) }
        guard sent >= 0 || errno == EAGAIN || errno == EINTR else { return disconnect(descriptor) }
        let rest = UnsafeRawBufferPointer(rebasing: bytes[max(0, sent)...])
        guard rest.count <= BufferPool.length, let index = keep(rest, RequestParser(), of: descriptor) else {
            return disconnect(descriptor)
        }
        table[descriptor].pointee.output = index
        queues.move(descriptor, to: .sending, now: now)
        watch(descriptor)
    }

    /// Goes on sending, since there is room.
    mutating func sendRest(_ descriptor: Int32) {
        let index = table[descriptor].pointee.output
        guard index >= 0 else { return }
        let bytes = pool.bytes(index)
        let sent = cairn_send(descriptor, bytes.baseAddress, bytes.count)
        guard sent >= 0 || errno == EAGAIN || errno == EINTR else { return disconnect(descriptor) }
        pool.drop(max(0, sent), of: index)
        guard pool.bytes(index).isEmpty else { return }
        pool.release(index)
        table[descriptor].pointee.output = -1
        watch(descriptor)
        guard table[descriptor].pointee.state != .free else { return }
        sentAll(descriptor)
        resume(descriptor)
    }

    private mutating func sentAll(_ descriptor: Int32) {
        guard table[descriptor].pointee.flags.contains(.closes) else {
            return queues.move(descriptor, to: .idle, now: now)
        }
        // Closing with bytes unread would have the kernel take back what was sent.
        guard table[descriptor].pointee.flags.contains(.hasInput) else { return disconnect(descriptor) }
        guard shutdown(descriptor, Int32(SHUT_WR)) == 0 else { return disconnect(descriptor) }
        releaseBuffers(of: descriptor)
        queues.move(descriptor, to: .lingering, now: now)
        discard(descriptor)
    }

    /// Serves what came while an answer was waited for.
    mutating func resume(_ descriptor: Int32) {
        let connection = table[descriptor].pointee
        guard connection.state == .idle, connection.input >= 0 || connection.flags.contains(.hasInput) else { return }
        receive(descriptor)
    }

    /// Ends a connection, and its poll with it. Of one that has ended already there is nothing to do.
    mutating func disconnect(_ descriptor: Int32) {
        guard table[descriptor].pointee.state != .free else { return }
        if table[descriptor].pointee.state == .parked {
            parked -= 1
            if let ticket = table[descriptor].pointee.ticket { shared.gate.pass { shared.desk.disconnect(ticket) } }
        }
        table[descriptor].pointee.ticket = nil
        releaseBuffers(of: descriptor)
        queues.move(descriptor, to: .free, now: now)
        counts.connections -= 1
        ended.append(descriptor)
    }

    /// Gives back the descriptors of connections that have ended. To be called where no step still goes by a descriptor.
    mutating func closeEnded() {
        for descriptor in ended { _ = close(descriptor) }
        ended.removeAll(keepingCapacity: true)
    }

    private mutating func releaseBuffers(of descriptor: Int32) {
        if table[descriptor].pointee.input >= 0 { pool.release(table[descriptor].pointee.input) }
        if table[descriptor].pointee.output >= 0 { pool.release(table[descriptor].pointee.output) }
        table[descriptor].pointee.input = -1
        table[descriptor].pointee.output = -1
    }

    /// Ends the connections whose time is over. Who is in the middle of a request is told so.
    mutating func clearLate() {
        while let descriptor = queues.due(now: now) {
            if table[descriptor].pointee.state != .idle { counts.late += 1 }
            if table[descriptor].pointee.state == .receiving {
                refuse(descriptor, .timeout)
            } else {
                disconnect(descriptor)
            }
        }
    }
}
