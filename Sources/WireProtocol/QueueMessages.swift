/// The answer to `GET /v1/queue`: what the calling device has to look at.
public struct QueueListing: Codable, Hashable, Sendable {
    /// One thing to look at: a namespace that moved, or an event of the account. A reader passes over what it does not
    /// know.
    public struct Entry: Codable, Hashable, Sendable {
        /// The namespace that moved, 32 hexadecimal digits.
        public var namespace: String?
        /// Its head is at this revision, or beyond.
        public var revision: UInt64?
        /// The kind of an event.
        public var event: String?
        /// What the event is about, 32 hexadecimal digits.
        public var subject: String?
        /// When it happened, ISO 8601.
        public var moment: String?

        /// Makes an entry of a namespace.
        public init(namespace: String, revision: UInt64) {
            self.namespace = namespace
            self.revision = revision
        }

        /// Makes an entry of an event.
        public init(event: String, subject: String, moment: String) {
            self.event = event
            self.subject = subject
            self.moment = moment
        }
    }

    /// What to look at, oldest first.
    public var entries: [Entry]
    /// What to acknowledge once that is done; nil when there is nothing to acknowledge.
    public var position: String?
    /// Whether to look at everything from the device's own cursors on.
    public var readFromCursor: Bool

    private enum CodingKeys: String, CodingKey {
        case entries, position
        case readFromCursor = "read_from_cursor"
    }

    /// Makes an answer of its parts.
    public init(entries: [Entry], position: String?, readFromCursor: Bool) {
        self.entries = entries
        self.position = position
        self.readFromCursor = readFromCursor
    }
}

/// The body of `POST /v1/queue/acknowledge`.
public struct QueueAcknowledgement: Codable, Hashable, Sendable {
    /// The position of the answer that the device has dealt with.
    public var position: String

    /// Makes a body of its part.
    public init(position: String) {
        self.position = position
    }
}
