import CLinux
import Glibc

/// How requests come in.
extension ReactorLoop {
    /// How often one connection is read from in a row, before the others have their turn.
    private static let turns = 8

    /// Reads what a connection has sent, and serves the requests in it one after the other. It stops at a request that can't
    /// be answered at once: what follows stays where it is, in the kernel for the most part, until that is answered.
    mutating func receive(_ descriptor: Int32) {
        table[descriptor].pointee.flags.remove(.hasInput)
        var parser = RequestParser()
        var held = takeInput(of: descriptor, &parser)
        guard held == 0 || serve(descriptor, &held, &parser) else { return }
        for _ in 0..<Self.turns {
            let room = incoming.count - held
            let count = cairn_receive(descriptor, incoming.baseAddress.unsafelyUnwrapped + held, room)
            if count == 0 { return disconnect(descriptor) }
            if count < 0 {
                if errno == EINTR { continue }
                if errno == EAGAIN { return hold(descriptor, held, parser) }
                return disconnect(descriptor)
            }
            held += count
            guard serve(descriptor, &held, &parser) else { return }
            // A stream that gives less than there was room for has no more; what comes later is told.
            if count < room { return hold(descriptor, held, parser) }
        }
        hold(descriptor, held, parser)
        // Told again of what is left, after the others.
        if table[descriptor].pointee.flags.contains(.isWatched) {
            let failure = epoll.change(descriptor, to: Epoll.connection)
            if failure != 0 { disconnect(descriptor) }
        }
    }

    /// Moves the bytes that a connection's buffer holds to where it is read into; their number.
    private mutating func takeInput(of descriptor: Int32, _ parser: inout RequestParser) -> Int {
        let index = table[descriptor].pointee.input
        guard index >= 0 else { return 0 }
        let bytes = pool.bytes(index)
        incoming.copyMemory(from: bytes)
        parser = pool.parser(index)
        pool.release(index)
        table[descriptor].pointee.input = -1
        return bytes.count
    }

    /// Serves the requests that are whole.
    /// - Parameters:
    ///   - descriptor: the connection.
    ///   - held: how many bytes are there; those of requests that were served go.
    ///   - parser: where it is in the first request that is not whole.
    /// - Returns: Whether the connection may be read from; what it holds is kept elsewhere if not.
    private mutating func serve(_ descriptor: Int32, _ held: inout Int, _ parser: inout RequestParser) -> Bool {
        var start = 0
        while start < held {
            let rest = UnsafeRawBufferPointer(rebasing: incoming[start..<held])
            switch parser.advance(over: rest) {
            case .needsMore:
                if start > 0 { incoming.copyMemory(from: rest) }
                held -= start
                return true
            case .refused(let fault):
                refuse(descriptor, fault)
                return false
            case .complete:
                answer(descriptor, parser, UnsafeRawBufferPointer(rebasing: rest[..<parser.length]))
                start += parser.length
                parser = RequestParser()
                guard table[descriptor].pointee.state == .idle else {
                    keepInput(of: descriptor, UnsafeRawBufferPointer(rebasing: incoming[start..<held]), parser)
                    return false
                }
            }
        }
        held = 0
        return true
    }

    /// Waits for the rest of a request of which `held` bytes are there, or for the next when there are none.
    private mutating func hold(_ descriptor: Int32, _ held: Int, _ parser: RequestParser) {
        guard held > 0 else { return }
        // Its time runs from the first byte on: it does not begin anew with every byte.
        if table[descriptor].pointee.state != .receiving { queues.move(descriptor, to: .receiving, now: now) }
        keepInput(of: descriptor, UnsafeRawBufferPointer(rebasing: incoming[..<held]), parser)
    }

    /// Keeps bytes that can't be served yet.
    private mutating func keepInput(of descriptor: Int32, _ bytes: UnsafeRawBufferPointer, _ parser: RequestParser) {
        guard !bytes.isEmpty, ![.free, .lingering].contains(table[descriptor].pointee.state) else { return }
        guard let index = keep(bytes, parser, of: descriptor) else { return disconnect(descriptor) }
        table[descriptor].pointee.input = index
    }

    /// Keeps bytes in the pool. When it is full, who has taken longest over a request gives way.
    mutating func keep(_ bytes: UnsafeRawBufferPointer, _ parser: RequestParser, of descriptor: Int32) -> Int32? {
        if let index = pool.keep(bytes, parser) { return index }
        let slowest = queues.receiving.first
        guard slowest >= 0, slowest != descriptor else { return nil }
        counts.evicted += 1
        disconnect(slowest)
        return pool.keep(bytes, parser)
    }

    /// Reads what comes after the last answer, and throws it away.
    mutating func discard(_ descriptor: Int32) {
        for _ in 0..<Self.turns {
            let count = cairn_receive(descriptor, incoming.baseAddress, incoming.count)
            if count == 0 { return disconnect(descriptor) }
            if count < 0 { return errno == EAGAIN || errno == EINTR ? () : disconnect(descriptor) }
        }
        // Who still sends that much has not read the answer.
        disconnect(descriptor)
    }
}
