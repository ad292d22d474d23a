/// What a node is, with what only that kind has.
public enum NodePayload: Hashable, Sendable {
    /// A folder.
    case folder
    /// A file with its bytes.
    case file(Content)
    /// A symbolic link: the bytes it points to, never followed.
    case symlink(target: [UInt8])

    /// The content of a file; nil for what is no file.
    public var content: Content? {
        if case .file(let content) = self { content } else { nil }
    }

    /// Whether it is a folder.
    public var isFolder: Bool { self == .folder }
}

/// Everything a node is at one revision, but for its id.
public struct NodeState: Hashable, Sendable {
    /// The folder that holds it.
    public var parent: NodeID
    /// Its name there: unique among the entries of the folder.
    public var name: NodeName
    /// What it is.
    public var payload: NodePayload
    /// The permission bits, 0 to 0o7777.
    public var mode: UInt16
    /// When its bytes were last written.
    public var modified: Timestamp

    /// Makes a state of its parts.
    public init(parent: NodeID, name: NodeName, payload: NodePayload, mode: UInt16, modified: Timestamp) {
        self.parent = parent
        self.name = name
        self.payload = payload
        self.mode = mode
        self.modified = modified
    }
}

/// A node as a namespace has it at some revision.
public struct NodeRecord: Hashable, Sendable {
    /// The node.
    public let node: NodeID
    /// The revision that gave it this state: the base of the next change.
    public let revision: Revision
    /// The state.
    public let state: NodeState

    /// Makes a record of its parts.
    public init(node: NodeID, revision: Revision, state: NodeState) {
        self.node = node
        self.revision = revision
        self.state = state
    }
}
