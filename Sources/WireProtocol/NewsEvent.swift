/// The data of an event `moved` of `GET /v1/events`: a namespace has news.
public struct NewsEvent: Codable, Hashable, Sendable {
    /// What happened.
    public enum State: String, Codable, Hashable, Sendable {
        /// Files were announced as on their way.
        case pending
        /// The head moved.
        case uploaded
    }

    /// The namespace: 32 hexadecimal digits.
    public var namespace: String
    /// Its head, as far as is known.
    public var revision: UInt64
    /// What happened.
    public var state: State

    /// Makes an event of its parts.
    public init(namespace: String, revision: UInt64, state: State) {
        self.namespace = namespace
        self.revision = revision
        self.state = state
    }
}
