public import Messaging
public import Model

/// Values that tests of queues use over and over.
public enum QueueFixture {
    /// When everything happens.
    public static let time = Timestamp(nanoseconds: 1_767_323_045_000_000_000)

    /// A moment some seconds later.
    public static func time(_ seconds: Int64) -> Timestamp { time.advanced(by: .seconds(seconds)) }

    /// A device by a small number.
    public static func device(_ number: UInt64) -> DeviceID { DeviceID(high: 0xDE, low: number) }

    /// A namespace by a small number.
    public static func namespace(_ number: UInt64) -> NamespaceID { NamespaceID(high: 0x5A, low: number) }

    /// The storage of a queue by a small number.
    public static func identity(_ number: UInt64) -> QueueID { QueueID(high: 0x0E, low: number) }

    /// A namespace that moved.
    public static func moved(_ namespace: UInt64, _ revision: UInt64) -> QueueEntry {
        .moved(Cursor(namespace: self.namespace(namespace), revision: Revision(revision)))
    }

    /// An event about a subject by a small number, some seconds after the beginning.
    public static func event(
        _ kind: AccountEvent.Kind, _ subject: UInt64, at seconds: Int64 = 0
    ) -> QueueEntry {
        .event(AccountEvent(kind, EventSubjectID(high: 0xEF, low: subject), at: time(seconds)))
    }
}

extension OfflineQueue {
    /// Adds entries for a device by a small number.
    public func add(_ entries: [QueueEntry], to device: UInt64, at seconds: Int64 = 0) async throws {
        try await add(
            entries.map { QueueAddition(QueueFixture.device(device), $0) }, at: QueueFixture.time(seconds))
    }

    /// Reads the queue of a device by a small number.
    public func read(_ device: UInt64, atMost limit: Int = 1000) async throws -> QueueDelivery {
        try await entries(of: QueueFixture.device(device), atMost: limit)
    }

    /// Acknowledges for a device by a small number; nil is nothing to acknowledge.
    @discardableResult
    public func acknowledge(_ position: QueuePosition?, by device: UInt64) async throws -> [QueueEntry] {
        guard let position else { return [] }
        return try await acknowledge(position, by: QueueFixture.device(device))
    }

    /// Makes devices known, so that they have no mark and nothing waits.
    public func introduce(_ devices: UInt64...) async throws {
        for device in devices { try await acknowledge(try await read(device).position, by: device) }
    }
}
