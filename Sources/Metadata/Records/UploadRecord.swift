public import Model

/// How far an upload has come.
public enum UploadState: Int64, Hashable, Sendable, CaseIterable {
    /// Announced; not all of it is here yet.
    case pending = 0
    /// Committed.
    case uploaded = 1
    /// Complete, but the commit was refused.
    case refused = 2
    /// Not finished in time.
    case expired = 3
    /// Replaced by a newer upload of its device before it was complete. It never commits.
    case superseded = 4
    /// Taken back by its device, maybe before the announcement came. It never commits.
    case withdrawn = 5
}

/// One file that an upload announces, as others are shown it while it is on its way.
public struct UploadItem: Hashable, Sendable {
    /// The node that it will be.
    public let node: NodeID
    /// The folder that it will be in.
    public let parent: NodeID
    /// Its name there.
    public let name: NodeName
    /// Its size in bytes.
    public let size: UInt64

    /// Makes an item of its parts.
    public init(node: NodeID, parent: NodeID, name: NodeName, size: UInt64) {
        self.node = node
        self.parent = parent
        self.name = name
        self.size = size
    }
}

/// An upload as the database keeps it from its announcement on.
public struct UploadRecord: Hashable, Sendable {
    /// The upload: the idempotency key of its commit.
    public let id: UploadID
    /// The account that owns the namespace, and so the blocks.
    public let account: AccountID
    /// The namespace that it will change.
    public let namespace: NamespaceID
    /// The device that sends it.
    public let device: DeviceID
    /// How far it has come.
    public let state: UploadState
    /// When it was announced.
    public let created: Timestamp
    /// When it is given up, if it is still pending then.
    public let expires: Timestamp
    /// What it announces, ordered by node.
    public let items: [UploadItem]
    /// The whole change-set, encoded by the caller; nil while the device has not sent it, and again when it is settled.
    public let changes: [UInt8]?

    /// Makes a record of its parts.
    public init(
        id: UploadID, account: AccountID, namespace: NamespaceID, device: DeviceID, state: UploadState = .pending,
        created: Timestamp, expires: Timestamp, items: [UploadItem], changes: [UInt8]?
    ) {
        self.id = id
        self.account = account
        self.namespace = namespace
        self.device = device
        self.state = state
        self.created = created
        self.expires = expires
        self.items = items
        self.changes = changes
    }
}
