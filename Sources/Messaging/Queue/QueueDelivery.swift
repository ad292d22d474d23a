public import Model

/// What an ``QueueID`` names.
public enum QueueKind {}
/// Names the storage of one queue, drawn when the storage is made: numbers of another storage mean nothing in it.
public typealias QueueID = Identifier<QueueKind>

/// Up to where a device has been told what its queue holds. Others pass it on as text and look no further.
public struct QueuePosition: Hashable, Sendable, CustomStringConvertible {
    /// The queue that counted.
    public let queue: QueueID
    /// How often the queue had forgotten: what it told before is not what waits after.
    public let epoch: Int64
    /// Its count for the device.
    public let number: Int64

    /// Makes a position of its parts.
    public init(queue: QueueID, epoch: Int64, number: Int64) {
        self.queue = queue
        self.epoch = epoch
        self.number = number
    }

    /// Reads a position that ``description`` wrote; nil for anything else.
    public init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, let queue = QueueID(hex: String(parts[0])), let epoch = Int64(parts[1]),
            let number = Int64(parts[2]), epoch >= 0, number >= 0
        else { return nil }
        self.init(queue: queue, epoch: epoch, number: number)
    }

    /// 32 hexadecimal digits and two numbers in decimal, with hyphens between.
    public var description: String { "\(queue)-\(epoch)-\(number)" }
}

/// What a queue tells a device.
public struct QueueDelivery: Hashable, Sendable {
    /// What the device has to look at, in the order in which it was raised.
    public let entries: [QueueEntry]
    /// What to acknowledge once that is done; nil when there is nothing to acknowledge.
    public let position: QueuePosition?
    /// Whether the queue does not know all of it: the device looks at everything from its own cursors on, which is
    /// always right.
    public let readFromCursor: Bool

    /// Makes a delivery of its parts.
    public init(entries: [QueueEntry], position: QueuePosition?, readFromCursor: Bool) {
        self.entries = entries
        self.position = position
        self.readFromCursor = readFromCursor
    }

    /// Nothing is left to look at.
    public static let nothing = QueueDelivery(entries: [], position: nil, readFromCursor: false)
}

/// How much a queue holds.
public struct QueueDepth: Hashable, Sendable {
    /// Entries that wait for their device.
    public var entries: Int
    /// Devices that have entries waiting.
    public var devices: Int
    /// Devices that will be told to read from their cursors, of those that the queue has heard of.
    public var marked: Int

    /// Makes a depth of its parts.
    public init(entries: Int = 0, devices: Int = 0, marked: Int = 0) {
        self.entries = entries
        self.devices = devices
        self.marked = marked
    }
}

/// How much a queue may hold.
public struct QueueBounds: Hashable, Sendable {
    /// The most entries that wait for one device, 1,000 by default. One more, and it reads from its cursors instead.
    public var entries = 1000
    /// The most keys for one device whose acknowledgement is remembered, 1,000 by default. One more, and all are
    /// forgotten: then the device may be told of something again that it knows.
    public var remembered = 1000

    /// Makes the default bounds.
    public init() {}
}
