public import Model

/// Asks to be told when one of these namespaces moves past its cursor.
public struct PollRequest: WireMessage, Hashable {
    /// How far the device has seen each namespace.
    public var cursors: [Cursor]
    /// How long to wait at most, in seconds.
    public var timeout: UInt32

    /// Makes a request of its parts.
    public init(cursors: [Cursor], timeout: UInt32) {
        self.cursors = cursors
        self.timeout = timeout
    }

    /// Appends the fields.
    public func write(to writer: inout WireWriter) throws(WireError) {
        writer.number(UInt64(timeout))
        writer.list(cursors) { writer, cursor in
            writer.identifier(cursor.namespace)
            writer.number(cursor.revision.number)
        }
    }

    /// Takes the fields.
    public init(from reader: inout WireReader) throws(WireError) {
        timeout = UInt32(try reader.count("timeout", atMost: 86_400))
        cursors = try reader.list("cursors", atMost: WireLimits.maximumCursors) { reader throws(WireError) in
            Cursor(
                namespace: try reader.identifier("cursor.namespace"),
                revision: Revision(try reader.number("cursor.revision")))
        }
    }
}

/// Which namespaces moved; none when the time ran out.
public struct PollResponse: WireMessage, Hashable {
    /// One namespace with news.
    public struct Moved: Hashable, Sendable {
        /// The namespace.
        public var namespace: NamespaceID
        /// Its head, as far as the notification knows.
        public var revision: Revision
        /// Whether files were announced as on their way (PENDING) since the poll began.
        public var pending: Bool

        /// Makes an entry of its parts.
        public init(namespace: NamespaceID, revision: Revision, pending: Bool) {
            self.namespace = namespace
            self.revision = revision
            self.pending = pending
        }
    }

    /// The namespaces with news.
    public var moved: [Moved]

    /// Makes an answer.
    public init(moved: [Moved]) { self.moved = moved }

    /// Appends the fields.
    public func write(to writer: inout WireWriter) throws(WireError) {
        writer.list(moved) { writer, moved in
            writer.record { writer in
                writer.identifier(moved.namespace)
                writer.number(moved.revision.number)
                writer.byte(moved.pending ? 1 : 0)
            }
        }
    }

    /// Takes the fields.
    public init(from reader: inout WireReader) throws(WireError) {
        moved = try reader.list("moved", atMost: WireLimits.maximumCursors) { reader throws(WireError) in
            try reader.record("moved") { reader throws(WireError) in
                Moved(
                    namespace: try reader.identifier("moved.namespace"),
                    revision: Revision(try reader.number("moved.revision")),
                    pending: try reader.byte("moved.pending") == 1)
            }
        }
    }
}
