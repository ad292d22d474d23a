/// The number a namespace reaches with a commit: 1, 2, 3 … without gaps; 0 before the first.
public struct Revision: Hashable, Comparable, Sendable, BitwiseCopyable, CustomStringConvertible {
    /// The number itself.
    public let number: UInt64

    /// Makes a revision of its number.
    public init(_ number: UInt64) {
        self.number = number
    }

    /// Before the first commit. As the base of a change it says: the node is new.
    public static let zero = Revision(0)

    /// The revision of the next commit.
    public var next: Revision { Revision(number + 1) }

    /// The number in decimal.
    public var description: String { String(number) }

    /// Orders revisions as they happened.
    public static func < (left: Self, right: Self) -> Bool { left.number < right.number }
}

/// How far a device has seen a namespace: up to and with this revision.
public struct Cursor: Hashable, Sendable {
    /// The namespace.
    public let namespace: NamespaceID
    /// The last revision seen.
    public let revision: Revision

    /// Makes a cursor.
    public init(namespace: NamespaceID, revision: Revision) {
        self.namespace = namespace
        self.revision = revision
    }
}

/// The newest revision of a namespace, with the hash that binds all history up to it.
public struct Head: Hashable, Sendable {
    /// The namespace.
    public let namespace: NamespaceID
    /// Its newest revision.
    public let revision: Revision
    /// The hash of the commit that made it; ``CommitHash/origin`` at revision 0.
    public let hash: CommitHash

    /// Makes a head.
    public init(namespace: NamespaceID, revision: Revision, hash: CommitHash) {
        self.namespace = namespace
        self.revision = revision
        self.hash = hash
    }
}
