public import Model

/// Keeps for each device that is away what it has to look at when it comes back.
///
/// **A hint, not the truth.** The journal of a namespace is the truth, and a device that reads from its cursors misses
/// nothing. The queue spares it that: so whenever a queue does not know, it says ``QueueDelivery/readFromCursor``.
///
/// **Compacted.** A device has at most one entry for each key (namespace, or kind and subject of an event), of the
/// newest version that was added. Adding a version that is not newer than the one that waits, or than the one that the
/// device acknowledged last, changes nothing. So adding is idempotent, and additions may come in any order.
///
/// **Durable.** When a call returns, what it did survives the end of the process and of the machine. A call that throws
/// may or may not have taken effect, and may be made again.
///
/// **At least once.** What was added is told by every ``entries(of:atMost:)`` until it is acknowledged by a position
/// of a delivery that told it. An acknowledgement takes away nothing that was added, or raised to a newer version,
/// after that delivery was read; nor anything when its position is of another storage, or of before it forgot.
/// Entries are told in the order in which they were raised; that of one call to ``add(_:at:)`` is kept.
///
/// **Bounded.** Past ``QueueBounds/entries`` the entries of the device give way to the mark *read from your cursor*,
/// as they do when one of them has waited longer than ``expire(before:)`` allows. The mark is told with what was added
/// after it, and acknowledged like an entry. A queue whose storage was just made, or that lost what it had, has every
/// device marked, whether it has heard of it or not.
///
/// **Apart.** Nothing that was added for a device is ever told to another. A device that was removed is told nothing
/// more, and nothing can be added for it: a late addition does not bring its queue back.
///
/// Calls may be made from many tasks at once. They take effect as if one after the other.
public protocol OfflineQueue: Sendable {
    /// Adds entries, best many at once.
    /// - Parameters:
    ///   - additions: what to add, for any number of devices.
    ///   - moment: the present, from which the age of entries counts.
    /// - Throws: when the storage fails; then any of the additions may have been made.
    /// - Complexity: O(additions).
    func add(_ additions: [QueueAddition], at moment: Timestamp) async throws

    /// What waits for a device; the oldest `limit` entries when there are more. Reading takes nothing away.
    /// - Throws: when the storage fails.
    func entries(of device: DeviceID, atMost limit: Int) async throws -> QueueDelivery

    /// Takes away what a delivery told, and nothing that was raised since.
    /// - Returns: The entries that were taken away.
    /// - Throws: when the storage fails.
    @discardableResult
    func acknowledge(_ position: QueuePosition, by device: DeviceID) async throws -> [QueueEntry]

    /// Ends the queues of devices, for good: they were revoked.
    /// - Throws: when the storage fails.
    func remove(_ devices: [DeviceID], at moment: Timestamp) async throws

    /// Lets devices read from their cursors of which an entry was raised before a moment and still waits, and forgets
    /// removals from before it.
    /// - Returns: How many devices got the mark.
    /// - Throws: when the storage fails.
    @discardableResult
    func expire(before moment: Timestamp) async throws -> Int

    /// How much the queue holds.
    /// - Throws: when the storage fails.
    /// - Complexity: O(what it holds): not for every request.
    func depth() async throws -> QueueDepth

    /// Waits for the calls that run, then lets go of the storage. Calls that come later fail.
    func close() async throws
}
