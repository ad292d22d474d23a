public import Model

/// News of one namespace, for the devices that follow it.
public struct ChangeNotice: Hashable, Sendable {
    /// What happened.
    public enum Kind: Hashable, Sendable {
        /// Files were announced as on their way; the head has not moved.
        case pending
        /// The head moved to the revision of the notice.
        case uploaded
    }

    /// The namespace.
    public let namespace: NamespaceID
    /// Its head at that moment.
    public let revision: Revision
    /// What happened.
    public let kind: Kind
    /// The device that did it.
    public let device: DeviceID

    /// Makes a notice of its parts.
    public init(namespace: NamespaceID, revision: Revision, kind: Kind, device: DeviceID) {
        self.namespace = namespace
        self.revision = revision
        self.kind = kind
        self.device = device
    }
}

/// What the roles of a server tell each other.
public enum BusMessage: Hashable, Sendable {
    /// A namespace has news.
    case changed(ChangeNotice)
    /// A device may no longer be served: forget that it was authenticated, and end its poll.
    case revoked(DeviceID)
    /// No news: messages before this one may be missing, because the bus was cut off or could not deliver them.
    case resumed
}

/// A message with its place in the order of all messages of one bus.
public struct BusEvent: Hashable, Sendable {
    /// 1 for the first message of the bus, then one more for each. A receiver that sees a number left out has missed
    /// messages, and has to look at the journal, which is the truth.
    public let sequence: UInt64
    /// The message.
    public let message: BusMessage

    /// Makes an event of its parts.
    public init(sequence: UInt64, message: BusMessage) {
        self.sequence = sequence
        self.message = message
    }
}
