public import Model

/// A namespace that a poll's device has to look at.
public struct MovedNamespace: Hashable, Sendable {
    /// The namespace.
    public let namespace: NamespaceID
    /// Its head, as far as is known here.
    public let revision: Revision
    /// Whether files were announced as on their way since the poll began.
    public let pending: Bool

    /// Makes an entry of its parts.
    public init(namespace: NamespaceID, revision: Revision, pending: Bool) {
        self.namespace = namespace
        self.revision = revision
        self.pending = pending
    }
}

/// How a poll ends.
public enum PollAnswer: Hashable, Sendable {
    /// These namespaces have news.
    case moved([MovedNamespace])
    /// Nothing happened in the time that the device asked for.
    case timedOut
    /// The same device polls again, elsewhere.
    case replaced
    /// The device was revoked.
    case revoked
    /// The server stops: the device shall poll again, at another server or a little later.
    case closing
    /// The request's connection is gone: nobody reads the answer.
    case disconnected
}
