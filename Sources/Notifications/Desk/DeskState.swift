import Model

/// What a desk holds under its lock.
struct DeskState: ~Copyable {
    /// Ends that have to be delivered to one driver, by whoever took the step that made them.
    struct DeliveryErrand: Sendable {
        let driver: Int
        let deliver: PollDesk.Delivery
        let ended: [NotificationHub.Ended]
    }

    /// What is left to do outside of the lock after a step.
    struct Errands: Sendable {
        var deliveries: [DeliveryErrand] = []
        /// A reader that was idle, for whom there is work.
        var reader: Int?
        var hasGap = false
    }

    private struct Driver {
        let deliver: PollDesk.Delivery
        var outbox: [NotificationHub.Ended] = []
        /// Whether some thread delivers to it: that one will look into the outbox again.
        var isBusy = false
    }

    var hub: NotificationHub
    /// What ended in the step that is being taken.
    var ended: [NotificationHub.Ended] = []
    var admission: PollAdmission
    var counts = PollStatistics()
    private var drivers: [Driver] = []
    private var idle: [Bool]
    private var gaps: UInt64 = 0

    init(limits: PollLimits) {
        hub = NotificationHub(capacity: limits.capacity, cursors: limits.cursors)
        admission = PollAdmission(
            places: limits.batch * limits.readers, most: limits.waiting, patience: limits.patience)
        idle = [Bool](repeating: true, count: limits.readers)
    }

    private static let ownerBits: UInt64 = 56

    /// An owner as the hub knows it: the driver in its upper bits.
    static func mark(_ owner: UInt64, with driver: DriverID) -> UInt64 {
        precondition(owner >> ownerBits == 0, "an owner has 56 bits")
        return UInt64(driver.number) << ownerBits | owner
    }

    mutating func register(_ deliver: @escaping PollDesk.Delivery) -> DriverID {
        precondition(drivers.count < 255, "a desk has at most 255 drivers")
        drivers.append(Driver(deliver: deliver))
        return DriverID(number: UInt8(drivers.count - 1))
    }

    mutating func park(
        device: DeviceID, cursors: [Cursor], timeout: UInt32, owner: UInt64
    ) -> Result<PollTicket, PollError> {
        let decision = admission.decide(
            waiting: hub.unreadCount, device: device, turn: counts.admitted &+ counts.refused)
        if case .refused(let seconds) = decision {
            counts.refused += 1
            return .failure(.refused(retryAfter: seconds))
        }
        do throws(PollError) {
            let ticket = try hub.park(device: device, cursors: cursors, timeout: timeout, owner: owner, into: &ended)
            counts.admitted += 1
            return .success(ticket)
        } catch {
            counts.refused += 1
            return .failure(error)
        }
    }

    /// The namespaces that a reader has to read next; when there are none it is idle, until it is rung for.
    mutating func nextBatch(for reader: Int, atMost count: Int) -> [NamespaceID] {
        let batch = hub.nextUnread(atMost: count)
        idle[reader] = batch.isEmpty
        return batch
    }

    /// Sorts what the step ended by driver, and says what has to be done outside of the lock.
    mutating func errands() -> Errands {
        var errands = Errands()
        if hub.hasUnread, let reader = idle.firstIndex(of: true) {
            idle[reader] = false
            errands.reader = reader
        }
        if gaps != hub.gapCount {
            gaps = hub.gapCount
            errands.hasGap = true
        }
        guard !ended.isEmpty else { return errands }
        for end in ended {
            let owner = end.owner & (1 << Self.ownerBits - 1)
            drivers[Int(end.owner >> Self.ownerBits)].outbox.append(
                NotificationHub.Ended(ticket: end.ticket, owner: owner, answer: end.answer))
        }
        ended.removeAll(keepingCapacity: ended.count <= 1024)
        for driver in drivers.indices where !drivers[driver].isBusy && !drivers[driver].outbox.isEmpty {
            let deliver = drivers[driver].deliver
            errands.deliveries.append(
                DeliveryErrand(driver: driver, deliver: deliver, ended: takeOutbox(of: driver)))
        }
        return errands
    }

    /// Takes what has to be delivered to a driver; who takes nothing is done with delivering.
    mutating func takeOutbox(of driver: Int) -> [NotificationHub.Ended] {
        let outbox = drivers[driver].outbox
        drivers[driver].outbox = []
        drivers[driver].isBusy = !outbox.isEmpty
        return outbox
    }

    /// The statistics of now.
    var current: PollStatistics {
        var current = counts
        current.parked = hub.count
        current.namespaces = hub.namespaceCount
        current.unread = hub.unreadCount
        current.bytes = hub.bytesInUse
        current.gaps = hub.gapCount
        return current
    }
}
