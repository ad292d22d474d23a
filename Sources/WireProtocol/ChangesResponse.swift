public import Model

/// What happened to one node: its state now, or that it is gone.
public struct NodeAtRevision: Hashable, Sendable {
    /// The node.
    public let node: NodeID
    /// The revision that did it.
    public let revision: Revision
    /// The state; nil when the node was removed.
    public let state: NodeState?

    /// Makes an entry of its parts.
    public init(node: NodeID, revision: Revision, state: NodeState?) {
        self.node = node
        self.revision = revision
        self.state = state
    }
}

/// Where the next page of changes begins: after this revision and node.
public struct ChangesPosition: Hashable, Sendable {
    /// The revision of the last entry.
    public let revision: Revision
    /// The node of the last entry.
    public let node: NodeID

    /// Makes a position of its parts.
    public init(revision: Revision, node: NodeID) {
        self.revision = revision
        self.node = node
    }
}

/// A page of what changed in a namespace between two revisions, each node at most once.
public struct ChangesResponse: WireMessage, Hashable {
    /// The namespace as of the end of the interval; all pages of a walk are of one revision.
    public var head: Head
    /// The changes, by revision and node.
    public var entries: [NodeAtRevision]
    /// Where the next page begins; nil at the end.
    public var next: ChangesPosition?

    /// Makes a page of its parts.
    public init(head: Head, entries: [NodeAtRevision], next: ChangesPosition?) {
        self.head = head
        self.entries = entries
        self.next = next
    }

    /// Appends the fields.
    public func write(to writer: inout WireWriter) throws(WireError) {
        writer.identifier(head.namespace)
        writer.number(head.revision.number)
        writer.digest(head.hash.digest)
        writer.byte(next == nil ? 0 : 1)
        if let next {
            writer.number(next.revision.number)
            writer.identifier(next.node)
        }
        writer.list(entries) { writer, entry in
            writer.record { writer in
                writer.identifier(entry.node)
                writer.number(entry.revision.number)
                WireNodes.write(entry.state, inline: [:], to: &writer)
            }
        }
    }

    /// Takes the fields.
    public init(from reader: inout WireReader) throws(WireError) {
        head = Head(
            namespace: try reader.identifier("namespace"), revision: Revision(try reader.number("revision")),
            hash: CommitHash(try reader.digest("hash")))
        let flag = try reader.byte("next")
        guard flag <= 1 else { throw WireError(.malformed, "next: \(flag)") }
        next =
            flag == 1
            ? ChangesPosition(
                revision: Revision(try reader.number("next.revision")), node: try reader.identifier("next.node"))
            : nil
        entries = try reader.list("entries", atMost: WireLimits.maximumChanges) { reader throws(WireError) in
            try reader.record("entry") { reader throws(WireError) in
                NodeAtRevision(
                    node: try reader.identifier("entry.node"), revision: Revision(try reader.number("entry.revision")),
                    state: try WireNodes.readState(&reader, inline: []))
            }
        }
    }
}
