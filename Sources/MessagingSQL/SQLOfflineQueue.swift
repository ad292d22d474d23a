public import Messaging
public import Metadata
public import Model

/// An offline queue in a SQL database of its own.
///
/// A device's row counts the numbers of its entries, so that a position says which of them it was told. All that a call
/// does is done in one transaction, or, where it is for many devices, in one for every few hundred.
public final class SQLOfflineQueue: OfflineQueueReplica {
    let database: any MetadataDatabase
    let bounds: QueueBounds

    /// The most additions in one transaction.
    static let batch = 512
    /// The most devices that expire in one transaction.
    static let expiryBatch = 256

    private init(_ database: any MetadataDatabase, _ bounds: QueueBounds) {
        self.database = database
        self.bounds = bounds
    }

    /// Works on a database with the schema ``QueueSchema``.
    /// - Parameters:
    ///   - database: the database, which the queue closes with itself.
    ///   - bounds: how much it may hold.
    ///   - identity: a fresh id, for a database that has none yet.
    /// - Returns: The queue.
    /// - Throws: ``MetadataError``.
    public static func open(
        _ database: any MetadataDatabase, bounds: QueueBounds = QueueBounds(), identity: QueueID
    ) async throws -> SQLOfflineQueue {
        try await database.write { connection in
            try connection.execute(
                """
                INSERT INTO queue_state (id, identity, epoch, peer_behind) VALUES (1, $1, 1, 1)
                ON CONFLICT (id) DO NOTHING
                """,
                [.blob(identity.bytes)])
        }
        return SQLOfflineQueue(database, bounds)
    }

    /// Adds entries.
    /// - Throws: ``MetadataError``.
    public func add(_ additions: [QueueAddition], at moment: Timestamp) async throws {
        for start in stride(from: 0, to: additions.count, by: Self.batch) {
            let part = Array(additions[start..<min(start + Self.batch, additions.count)])
            try await database.write { [bounds] connection in
                let step = try QueueStep(connection, bounds: bounds, at: moment)
                for (device, entries) in QueueStep.byDevice(part) { try step.add(entries, to: device) }
            }
        }
    }

    /// What waits for a device.
    /// - Throws: ``MetadataError``.
    public func entries(of device: DeviceID, atMost limit: Int) async throws -> QueueDelivery {
        try await database.read { connection in
            let rows = QueueRows(connection)
            let state = try rows.state()
            let row = try rows.device(device)
            if row?.removed != nil { return .nothing }
            guard let row, row.epoch == state.epoch else {
                return QueueDelivery(
                    entries: [],
                    position: QueuePosition(queue: state.identity, epoch: state.epoch, number: row?.last ?? 0),
                    readFromCursor: true)
            }
            let waiting = try rows.waiting(of: device, limit: limit)
            let isAll = waiting.count < limit
            let number = max(waiting.last?.number ?? 0, isAll ? row.marked ?? 0 : 0)
            if number == 0 { return .nothing }
            return QueueDelivery(
                entries: waiting.map(\.entry),
                position: QueuePosition(queue: state.identity, epoch: state.epoch, number: number),
                readFromCursor: row.marked != nil)
        }
    }

    /// Takes away what a delivery told.
    /// - Throws: ``MetadataError``.
    @discardableResult
    public func acknowledge(_ position: QueuePosition, by device: DeviceID) async throws -> [QueueEntry] {
        try await database.write { [bounds] connection in
            let rows = QueueRows(connection)
            let state = try rows.state()
            guard position.queue == state.identity, position.epoch == state.epoch else { return [] }
            var row = try rows.device(device) ?? QueueDeviceRow(epoch: 0)
            if row.removed != nil { return [] }
            if row.epoch != state.epoch {
                // All that the device was told is to read from its cursors, and it has.
                guard position.number >= row.last else { return [] }
                try rows.dropAll(of: device)
                try rows.save(QueueDeviceRow(last: row.last, epoch: state.epoch), of: device)
                return []
            }
            let told = try rows.waiting(of: device, upTo: position.number, limit: .max)
            try rows.acknowledge(upTo: position.number, of: device)
            try rows.boundAcknowledged(to: bounds.remembered, of: device)
            if let marked = row.marked, marked <= position.number {
                row.marked = nil
                try rows.save(row, of: device)
            }
            return told.map(\.entry)
        }
    }

    /// Ends the queues of devices.
    /// - Throws: ``MetadataError``.
    public func remove(_ devices: [DeviceID], at moment: Timestamp) async throws {
        for start in stride(from: 0, to: devices.count, by: Self.batch) {
            let part = Array(devices[start..<min(start + Self.batch, devices.count)])
            try await database.write { [bounds] connection in
                let step = try QueueStep(connection, bounds: bounds, at: moment)
                for device in part { try step.remove(device, at: moment) }
            }
        }
    }

    /// Marks the devices of which an entry waits for too long.
    /// - Throws: ``MetadataError``.
    @discardableResult
    public func expire(before moment: Timestamp) async throws -> Int {
        var marked = 0
        while true {
            let count = try await database.write { [bounds] connection in
                try QueueStep(connection, bounds: bounds, at: moment).expire(atMost: Self.expiryBatch)
            }
            marked += count
            if count == 0 { break }
        }
        try await database.write { connection in
            try connection.execute(
                "DELETE FROM queue_device WHERE removed IS NOT NULL AND removed < $1", [.integer(moment.nanoseconds)])
        }
        return marked
    }

    /// How much it holds.
    /// - Throws: ``MetadataError``.
    public func depth() async throws -> QueueDepth {
        try await database.read { connection in
            let waiting = try connection.first(
                "SELECT COUNT(*), COUNT(DISTINCT device) FROM queue_entry WHERE number IS NOT NULL", [])
            let marked = try connection.first(
                """
                SELECT COUNT(*) FROM queue_device
                WHERE removed IS NULL AND (marked IS NOT NULL OR epoch < (SELECT epoch FROM queue_state))
                """, [])
            return QueueDepth(
                entries: Int(try waiting?.integer(0) ?? 0), devices: Int(try waiting?.integer(1) ?? 0),
                marked: Int(try marked?.integer(0) ?? 0))
        }
    }

    /// Closes the database.
    public func close() async throws { try await database.close() }
}
