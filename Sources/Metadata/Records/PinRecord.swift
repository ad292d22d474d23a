public import Model

/// A version that somebody gave a name, so that it stays.
public struct PinRecord: Hashable, Sendable {
    /// The node.
    public let node: NodeID
    /// The revision that gave it the state that is pinned.
    public let revision: Revision
    /// What people call the version.
    public let name: String
    /// The device that pinned it.
    public let device: DeviceID
    /// When it was pinned.
    public let created: Timestamp

    /// Makes a record of its parts.
    public init(node: NodeID, revision: Revision, name: String, device: DeviceID, created: Timestamp) {
        self.node = node
        self.revision = revision
        self.name = name
        self.device = device
        self.created = created
    }
}
