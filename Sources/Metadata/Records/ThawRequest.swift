public import Model

/// A device that waits for a content which lies in the archive.
public struct ThawRequest: Hashable, Sendable {
    /// How far it is.
    public enum State: Int64, Hashable, Sendable {
        /// Some of its blocks are not hot yet.
        case waiting = 0
        /// All blocks were made hot.
        case ready = 1
        /// All blocks were made hot but for some that could not be read.
        case failed = 2
    }

    /// The account.
    public let account: AccountID
    /// The content; one of level 0 is a single block.
    public let content: ContentID
    /// The device that asked; all zero for the server itself.
    public let device: DeviceID
    /// How far it is.
    public let state: State
    /// When it was asked for.
    public let requested: Timestamp
    /// When it became ready, or is expected to; nil when nothing is known.
    public let ready: Timestamp?
    /// When it is forgotten, once it is ready.
    public let expires: Timestamp?

    /// Makes a request of its parts.
    public init(
        account: AccountID, content: ContentID, device: DeviceID, state: State = .waiting, requested: Timestamp,
        ready: Timestamp? = nil, expires: Timestamp? = nil
    ) {
        self.account = account
        self.content = content
        self.device = device
        self.state = state
        self.requested = requested
        self.ready = ready
        self.expires = expires
    }
}
