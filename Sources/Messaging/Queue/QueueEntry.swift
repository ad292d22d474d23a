public import Model

/// One thing that a device has to look at when it comes back.
///
/// An entry is a key and a version. A queue keeps one entry for each key of a device, of the newest version that it was
/// told; so all operations on entries may happen twice, or in another order, without harm.
public enum QueueEntry: Hashable, Sendable {
    /// The head of a namespace moved to this revision, or beyond.
    case moved(Cursor)
    /// Something happened to the account.
    case event(AccountEvent)

    /// What entries are told apart by.
    public struct Key: Hashable, Sendable {
        /// The kind of an event; empty for a namespace.
        public let kind: String
        /// The 16 bytes of the namespace, or of the subject of an event.
        public let subject: [UInt8]

        /// Makes a key of its parts.
        public init(kind: String, subject: [UInt8]) {
            self.kind = kind
            self.subject = subject
        }
    }

    /// What the entry is about.
    public var key: Key {
        switch self {
        case .moved(let cursor): Key(kind: "", subject: cursor.namespace.bytes)
        case .event(let event): Key(kind: event.kind.rawValue, subject: event.subject.bytes)
        }
    }

    /// The revision, or the moment in nanoseconds: of two entries with one key the higher one is the newer.
    public var version: Int64 {
        switch self {
        case .moved(let cursor): Int64(clamping: cursor.revision.number)
        case .event(let event): event.moment.nanoseconds
        }
    }

    /// Makes an entry of a key and a version that were kept; nil when there can be no such entry.
    public init?(key: Key, version: Int64) {
        if key.kind.isEmpty {
            guard let namespace = NamespaceID(bytes: key.subject), let number = UInt64(exactly: version) else {
                return nil
            }
            self = .moved(Cursor(namespace: namespace, revision: Revision(number)))
        } else {
            guard let subject = EventSubjectID(bytes: key.subject) else { return nil }
            self = .event(
                AccountEvent(.init(rawValue: key.kind), subject, at: Timestamp(nanoseconds: version)))
        }
    }
}

/// An entry for a device.
public struct QueueAddition: Hashable, Sendable {
    /// The device.
    public let device: DeviceID
    /// What it has to look at.
    public let entry: QueueEntry

    /// Makes an addition of its parts.
    public init(_ device: DeviceID, _ entry: QueueEntry) {
        self.device = device
        self.entry = entry
    }
}
