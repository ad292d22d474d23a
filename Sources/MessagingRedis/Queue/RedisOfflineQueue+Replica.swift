public import Messaging
public import Model

extension RedisOfflineQueue {
    /// Notes what was acknowledged at the other replica.
    /// - Throws: ``RedisError``, `QueueError`.
    public func settle(_ settled: [QueueAddition]) async throws {
        for part in batches(settled, of: Self.batch) {
            try await call("settle", [text(options.bounds.remembered)] + QueueWords.groups(part))
        }
    }

    /// Begins a new epoch: every device is marked, known or not.
    /// - Throws: ``RedisError``, `QueueError`.
    public func forget() async throws -> Int64 { try await call("forget", []).integer() }

    /// What is known of the devices after one.
    /// - Throws: ``RedisError``, `QueueError`.
    public func page(after device: DeviceID?, atMost limit: Int) async throws -> [QueuedDevice] {
        var devices: [QueuedDevice] = []
        var last = device.map { QueueWords.device($0) } ?? []
        while devices.count < limit {
            let reply = try await call("page", [last, text(Self.readBatch)], writes: false).array()
            guard reply.count == 2 else { throw RedisReply.unexpected }
            last = try reply[0].bytes()
            if last.isEmpty { break }
            for device in try reply[1].array() { devices.append(try QueueWords.queued(device)) }
        }
        return Array(devices.prefix(limit))
    }

    /// Takes over what another replica knows of devices, one after the other.
    /// - Throws: ``RedisError``, `QueueError`.
    public func adopt(_ devices: [QueuedDevice], forgotten: Int64, at moment: Timestamp) async throws {
        for device in devices {
            // 1 says that it has forgotten again.
            let reply = try await call(
                device.removed == nil ? "adopt" : "remove", words(device, forgotten, moment))
            if try reply.integer() == 1 { return }
        }
    }

    private func words(_ other: QueuedDevice, _ forgotten: Int64, _ moment: Timestamp) -> [[UInt8]] {
        let device = QueueWords.device(other.device)
        if let removed = other.removed { return [QueueWords.digits(removed.nanoseconds), text(forgotten), device] }
        let head = [
            QueueWords.digits(moment.nanoseconds), text(forgotten), text(options.bounds.entries),
            text(options.bounds.remembered), device, text(other.isMarked ? 1 : 0), text(other.acknowledged.count),
        ]
        return head + QueueWords.words(other.acknowledged) + QueueWords.words(other.waiting)
    }

    /// The newest term of which was noted that the other replica lacks something.
    /// - Throws: ``RedisError``, `QueueError`.
    public func peerBehindSince() async throws -> Int64 { try await call("peer", [], writes: false).integer() }

    /// Notes that the other replica lacks something.
    /// - Throws: ``RedisError``, `QueueError`.
    public func notePeerBehind(_ term: Int64) async throws { try await call("behind", [text(term)]) }

    /// Notes that the other replica has everything up to a term.
    /// - Throws: ``RedisError``, `QueueError`.
    public func notePeerCaughtUp(_ term: Int64) async throws { try await call("caught", [text(term)]) }
}
