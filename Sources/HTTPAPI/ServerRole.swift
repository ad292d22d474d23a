/// What a process of a server does. One process may have all roles, or each role processes of its own.
public enum ServerRole: String, CaseIterable, Hashable, Sendable {
    /// Sessions, uploads, trees, history, queues.
    case api
    /// Blocks and whole files: what moves bytes.
    case block
    /// Polls and streams of events.
    case notify
    /// Jobs that nobody asks for.
    case maintenance
}
