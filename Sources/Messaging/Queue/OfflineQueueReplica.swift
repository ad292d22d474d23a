public import Model

/// All that a queue knows of one device: what one replica of a pair tells the other.
public struct QueuedDevice: Hashable, Sendable {
    /// The device.
    public let device: DeviceID
    /// What waits, in the order in which it was raised.
    public var waiting: [QueueEntry]
    /// What the device has acknowledged: the newest version of each key that is remembered.
    public var acknowledged: [QueueEntry]
    /// Whether the device is to read from its cursors.
    public var isMarked: Bool
    /// When the device was removed; nil while it may have a queue.
    public var removed: Timestamp?

    /// Makes a state of its parts.
    public init(
        device: DeviceID, waiting: [QueueEntry] = [], acknowledged: [QueueEntry] = [], isMarked: Bool = false,
        removed: Timestamp? = nil
    ) {
        self.device = device
        self.waiting = waiting
        self.acknowledged = acknowledged
        self.isMarked = isMarked
        self.removed = removed
    }
}

/// A queue that can stand in for another, and be brought up to date from it: one half of a ``DoubledOfflineQueue``.
///
/// The contract of ``OfflineQueue`` holds for all of these: durable when they return, and safe to repeat.
public protocol OfflineQueueReplica: OfflineQueue {
    /// Notes what devices acknowledged at the other replica: entries up to these versions wait no longer. What waits in
    /// a newer version stays.
    /// - Throws: when the storage fails.
    func settle(_ settled: [QueueAddition]) async throws

    /// Lets every device read from its cursors, also those that it has never heard of; removed ones stay removed.
    /// - Returns: How often it has forgotten, which ``adopt(_:forgotten:at:)`` wants to hear.
    /// - Throws: when the storage fails.
    /// - Complexity: O(1).
    func forget() async throws -> Int64

    /// What is known of the devices after one, by id: page by page, all that was not forgotten.
    /// - Throws: when the storage fails.
    func page(after device: DeviceID?, atMost limit: Int) async throws -> [QueuedDevice]

    /// Takes over what another replica knows of devices. A device that was forgotten, or never known, is known from then
    /// on, and marked only if it is in the other's state. For any other it is added to what is known, so that what came
    /// here meanwhile, and its mark, stay.
    ///
    /// Nothing happens when it has forgotten again since it said `forgotten`: then the call comes too late.
    /// - Throws: when the storage fails.
    func adopt(_ devices: [QueuedDevice], forgotten: Int64, at moment: Timestamp) async throws

    /// The newest term of which was noted that the other replica lacks what this one has; 0 when it lacks nothing. It is 1
    /// in a queue that was just made, in the place of one that may have noted it: that one vouches for nobody.
    /// - Throws: when the storage fails.
    func peerBehindSince() async throws -> Int64

    /// Notes that the other replica lacks something, in a term. A later term is not noted over.
    /// - Throws: when the storage fails.
    func notePeerBehind(_ term: Int64) async throws

    /// Notes that the other replica has all that it lacked up to a term. What was noted in a later one stays.
    /// - Throws: when the storage fails.
    func notePeerCaughtUp(_ term: Int64) async throws
}
