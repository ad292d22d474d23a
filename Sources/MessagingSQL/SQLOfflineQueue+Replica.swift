public import Messaging
import Metadata
public import Model

extension SQLOfflineQueue {
    /// Notes what was acknowledged at the other replica.
    /// - Throws: `MetadataError`.
    public func settle(_ settled: [QueueAddition]) async throws {
        for start in stride(from: 0, to: settled.count, by: Self.batch) {
            let part = Array(settled[start..<min(start + Self.batch, settled.count)])
            try await database.write { [bounds] connection in
                let step = try QueueStep(connection, bounds: bounds, at: Timestamp(nanoseconds: 0))
                for (device, entries) in QueueStep.byDevice(part) { try step.settle(entries, of: device) }
            }
        }
    }

    /// Begins a new epoch: every device is marked, known or not.
    /// - Throws: `MetadataError`.
    public func forget() async throws -> Int64 {
        try await database.write { connection in
            try connection.execute("UPDATE queue_state SET epoch = epoch + 1", [])
            return try QueueRows(connection).state().epoch
        }
    }

    /// What is known of the devices after one.
    /// - Throws: `MetadataError`.
    public func page(after device: DeviceID?, atMost limit: Int) async throws -> [QueuedDevice] {
        try await database.read { connection in
            let rows = QueueRows(connection)
            let epoch = try rows.state().epoch
            return try rows.devices(after: device, epoch: epoch, limit: limit).map { id, row in
                if let removed = row.removed { return QueuedDevice(device: id, removed: removed) }
                return QueuedDevice(
                    device: id, waiting: try rows.waiting(of: id, limit: .max).map(\.entry),
                    acknowledged: try rows.acknowledged(of: id, limit: .max), isMarked: row.marked != nil)
            }
        }
    }

    /// Takes over what another replica knows of devices.
    /// - Throws: `MetadataError`.
    public func adopt(_ devices: [QueuedDevice], forgotten: Int64, at moment: Timestamp) async throws {
        try await database.write { [bounds] connection in
            guard try QueueRows(connection).state().epoch == forgotten else { return }
            let step = try QueueStep(connection, bounds: bounds, at: moment)
            for device in devices { try step.adopt(device) }
        }
    }

    /// The newest term of which was noted that the other replica lacks something.
    /// - Throws: `MetadataError`.
    public func peerBehindSince() async throws -> Int64 {
        try await database.read { try QueueRows($0).state().peerBehind }
    }

    /// Notes that the other replica lacks something.
    /// - Throws: `MetadataError`.
    public func notePeerBehind(_ term: Int64) async throws {
        try await database.write { connection in
            try connection.execute(
                "UPDATE queue_state SET peer_behind = $1 WHERE peer_behind < $1", [.integer(term)])
        }
    }

    /// Notes that the other replica has everything up to a term.
    /// - Throws: `MetadataError`.
    public func notePeerCaughtUp(_ term: Int64) async throws {
        try await database.write { connection in
            try connection.execute(
                "UPDATE queue_state SET peer_behind = 0 WHERE peer_behind <= $1", [.integer(term)])
        }
    }
}
