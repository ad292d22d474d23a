public import Messaging
public import Metadata
public import Model

/// Tells devices that come back what waits for them.
///
/// Before a device is told, its queue is compared with the journal, which is the truth: what the queue missed, for
/// whatever reason, is added first. When the queue can't be used, the device is told to read from its cursors. So
/// whoever comes back ends at the head, however the queue is.
public struct QueueDesk: Sendable {
    /// The most entries in one answer. A queue holds no more for one device by default.
    public static let mostEntries = 1000

    private let queue: any OfflineQueue
    private let database: any MetadataDatabase
    private let clock: any WallClock

    /// Makes a desk of a queue and the database that knows better.
    public init(queue: any OfflineQueue, database: any MetadataDatabase, clock: any WallClock) {
        self.queue = queue
        self.database = database
        self.clock = clock
    }

    /// What a device has to look at.
    /// - Throws: ``QueueError`` `revoked`, `unknownDevice`; ``MetadataError``. A queue that fails is no reason to.
    public func read(_ device: DeviceID) async throws -> QueueDelivery {
        let truth = try await database.read { connection in
            guard let record = try DeviceQueries(connection).byID(device) else {
                throw QueueError(.unknownDevice, "there is no device \(device)")
            }
            if record.revoked != nil { throw QueueError(.revoked, "the device was revoked") }
            var truth = QueueTruth(connection)
            return try truth.entries(of: device, account: record.account)
        }
        do {
            try await queue.add(truth.map { QueueAddition(device, $0) }, at: clock.now())
            let delivery = try await queue.entries(of: device, atMost: Self.mostEntries)
            if delivery.position != nil || !delivery.readFromCursor { return delivery }
        } catch {
            // Whoever looks after the queue is told by its own counts; the device is served all the same.
        }
        return QueueDelivery(entries: truth, position: nil, readFromCursor: true)
    }

    /// Takes away what a device has dealt with. When the queue fails meanwhile, the device may be told of it again.
    /// - Throws: what the queue throws.
    public func acknowledge(_ position: QueuePosition, by device: DeviceID) async throws {
        try await queue.acknowledge(position, by: device)
    }

    /// Lets all devices of an account know of an event, but for the one that caused it. To be called once what the event
    /// tells of is durable. When it returns, so is the event.
    /// - Throws: what the queue and the database throw; raising it again is safe.
    public func raise(_ event: AccountEvent, for account: AccountID, by author: DeviceID? = nil) async throws {
        let devices = try await database.read { try DeviceQueries($0).all(of: account) }
        let additions = devices.filter { $0.revoked == nil && $0.id != author }.map {
            QueueAddition($0.id, .event(event))
        }
        try await queue.add(additions, at: clock.now())
    }
}
