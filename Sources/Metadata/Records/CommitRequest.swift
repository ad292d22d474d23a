public import Model

/// What a device asks to be committed.
public struct CommitRequest: Hashable, Sendable {
    /// The namespace to change.
    public let namespace: NamespaceID
    /// The idempotency key.
    public let upload: UploadID
    /// The device that asks.
    public let device: DeviceID
    /// What is to change: at least one change, and no node twice. The order means nothing.
    public let changes: [NodeChange]

    /// Makes a request of its parts.
    public init(namespace: NamespaceID, upload: UploadID, device: DeviceID, changes: [NodeChange]) {
        self.namespace = namespace
        self.upload = upload
        self.device = device
        self.changes = changes
    }
}

/// What became of a commit.
public enum CommitOutcome: Hashable, Sendable {
    /// All of it took effect, at this revision.
    case committed(CommitRecord)
    /// None of it did. Every refused change is named once, in the order of the nodes.
    case refused([Refusal])
}
