public import Model

/// A rule of an account that says which versions are kept, and where it holds.
public struct RetentionRecord: Hashable, Sendable {
    /// The namespace that it holds in; ``everywhere`` for all of the account that have no rule of their own.
    public let namespace: NamespaceID
    /// The folder that it holds in, with all below; the root for the whole namespace.
    public let folder: NodeID
    /// The rule, as whoever set it wrote it.
    public let policy: String
    /// When it was set.
    public let updated: Timestamp

    /// Makes a record of its parts.
    public init(namespace: NamespaceID = Self.everywhere, folder: NodeID = .root, policy: String, updated: Timestamp) {
        self.namespace = namespace
        self.folder = folder
        self.policy = policy
        self.updated = updated
    }

    /// What stands for all namespaces of the account.
    public static let everywhere = NamespaceID(high: 0, low: 0)
}
