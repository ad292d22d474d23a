import Messaging

/// Keeps one connection of a bus, and makes it again with growing pauses.
struct RedisBusThread {
    let endpoint: RedisEndpoint
    let limits: RedisBusLimits
    let shared: RedisBusState

    /// Publishes, until the bus is closed.
    func publish(_ generator: any RandomNumberGenerator & Sendable) {
        keep(shared.publisherCall, generator, lost: shared.publisherLost) { session throws(RedisError) in
            shared.publisherConnected(to: session.run)
            while !shared.isClosed {
                try session.recheck()
                let packets = shared.take(atMost: Self.batch)
                if packets.isEmpty {
                    _ = shared.publisherCall.wait(endpoint.limits.recheck)
                    continue
                }
                for reply in try session.pipeline(packets.map(command)) {
                    if case .error(let message) = reply { throw RedisError(answer: message) }
                }
                shared.sent()
            }
        }
    }

    /// Hears, until the bus is closed.
    func listen(_ generator: any RandomNumberGenerator & Sendable) {
        keep(shared.subscriberCall, generator, lost: shared.subscriberLost) { session throws(RedisError) in
            _ = try session.call(["SUBSCRIBE", limits.channel])
            if shared.isElsewhere(session.run) { throw Self.elsewhere }
            shared.subscriberConnected(to: session.run)
            try hear(session)
        }
    }

    /// The most messages that are sent together.
    private static let batch = 256

    private static var elsewhere: RedisError {
        RedisError(.notMaster, "the bus hears from another server than it publishes to")
    }

    private func command(_ packet: BusPacket) -> RedisCommand {
        RedisCommand([Array("PUBLISH".utf8), Array(limits.channel.utf8), packet.encoded])
    }

    private func hear(_ session: RedisSession) throws(RedisError) {
        let connection = session.connection
        var heard = ContinuousClock.now
        var asked: ContinuousClock.Instant?
        while !shared.isClosed {
            if shared.isElsewhere(session.run) { throw Self.elsewhere }
            let silence = heard.duration(to: .now)
            if silence >= limits.silence { throw RedisError(.timedOut, "Redis is silent") }
            if silence >= limits.silence / 3, asked.map({ $0 < heard }) ?? true {
                try connection.append(["PING"])
                try connection.flush(until: Deadline(in: endpoint.limits.command))
                asked = .now
            }
            let left = asked.map { $0 < heard } ?? true ? limits.silence / 3 - silence : limits.silence - silence
            guard shared.subscriberCall.wait(left, or: connection.descriptor) else { continue }
            try connection.read()
            while let reply = try connection.nextReply() { try take(reply) }
            heard = .now
        }
    }

    private func take(_ reply: RedisReply) throws(RedisError) {
        let parts = try reply.array()
        guard parts.count == 3, try parts[0].text() == "message" else { return }
        guard let packet = BusPacket(try parts[2].bytes()) else {
            // Who speaks another form can't be understood, but is not to be passed over.
            throw RedisError(.malformed, "a message on the channel \(limits.channel) is none of this bus")
        }
        shared.hear(packet)
    }

    /// Opens sessions for a body, one after the other.
    private func keep(
        _ call: Wakeup, _ generator: any RandomNumberGenerator & Sendable, lost: (RedisError?) -> Void,
        _ body: (RedisSession) throws(RedisError) -> Void
    ) {
        var pause = ReconnectPause(endpoint.limits, generator)
        while !shared.isClosed {
            do throws(RedisError) {
                let session = try RedisFinder.open(endpoint)
                let begin = ContinuousClock.now
                defer { if begin.duration(to: .now) >= endpoint.limits.recheck { pause.reset() } }
                try body(session)
                lost(nil)
            } catch {
                lost(error)
            }
            let end = Deadline(in: pause.next())
            while !shared.isClosed, !end.isOver { _ = call.wait(end.left) }
        }
    }
}
