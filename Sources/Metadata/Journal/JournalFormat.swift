public import Model

/// The bytes that the hash of a commit covers: docs/format-journal.md says the same in words.
public enum JournalFormat {
    /// The hash that makes a commit the successor of the one before it, of all that the journal says of the commit.
    ///
    /// `previous` is the head that it follows, `revision` the one that it makes, `digest` the SHA-256 of ``bytes(of:)``
    /// of its `count` changes, and `hash` is SHA-256.
    public static func commitHash(
        after previous: Head, revision: Revision, device: DeviceID, upload: UploadID, time: Timestamp,
        digest: Digest, count: Int, hash: ([UInt8]) -> Digest
    ) -> CommitHash {
        var writer = ByteWriter(capacity: 133)
        writer.append(UInt8(1))
        writer.append(previous.namespace.bytes)
        writer.append(previous.hash.digest.bytes)
        writer.append(revision.number)
        writer.append(device.bytes)
        writer.append(upload.bytes)
        writer.append(time.nanoseconds)
        writer.append(UInt32(clamping: count))
        writer.append(digest.bytes)
        return CommitHash(hash(writer.bytes))
    }

    /// The canonical bytes of what a commit did: the states it gave, and nil for what it removed, ordered by node.
    public static func bytes(of changes: [(node: NodeID, state: NodeState?)]) -> [UInt8] {
        var writer = ByteWriter(capacity: changes.count * 112)
        for change in changes { writer.append(change.node, change.state) }
        return writer.bytes
    }
}

extension ByteWriter {
    /// Appends a node and its state, or that it is gone.
    mutating func append(_ node: NodeID, _ state: NodeState?) {
        append(node.high)
        append(node.low)
        guard let state else {
            append(UInt8(0))
            return
        }
        switch state.payload {
        case .folder: append(UInt8(1))
        case .file: append(UInt8(2))
        case .symlink: append(UInt8(3))
        }
        append(state.parent.high)
        append(state.parent.low)
        append(UInt8(state.name.bytes.count))
        append(state.name.bytes)
        append(state.mode)
        append(state.modified.nanoseconds)
        switch state.payload {
        case .folder: break
        case .file(let content):
            append(content.id.level)
            for word in [content.id.digest.words.0, content.id.digest.words.1] { append(word) }
            for word in [content.id.digest.words.2, content.id.digest.words.3] { append(word) }
            append(content.size)
        case .symlink(let target):
            append(UInt32(target.count))
            append(target)
        }
    }
}

extension ByteReader {
    mutating func id<Kind>() throws -> Identifier<Kind> {
        Identifier(high: try number(), low: try number())
    }

    /// Takes what ``ByteWriter/append(_:_:)`` appended.
    mutating func node() throws -> (node: NodeID, state: NodeState?) {
        let node: NodeID = try id()
        let tag = try number(UInt8.self)
        if tag == 0 { return (node, nil) }
        let parent: NodeID = try id()
        let name = try name(count: Int(try number(UInt8.self)))
        let mode = try number(UInt16.self)
        let modified = Timestamp(nanoseconds: try number())
        let payload = try payload(tag)
        return (node, NodeState(parent: parent, name: name, payload: payload, mode: mode, modified: modified))
    }

    private mutating func name(count: Int) throws -> NodeName {
        do { return try NodeName(bytes: try bytes(count)) } catch let error as NodeNameError {
            throw MetadataError(.corrupt, "a stored record holds a name that is none", cause: "\(error)")
        }
    }

    private mutating func payload(_ tag: UInt8) throws -> NodePayload {
        switch tag {
        case 1: return .folder
        case 2:
            let level = try number(UInt8.self)
            let digest = Digest(words: (try number(), try number(), try number(), try number()))
            return .file(Content(id: ContentID(level: level, digest: digest), size: try number()))
        case 3: return .symlink(target: try bytes(Int(try number(UInt32.self))))
        default: throw MetadataError(.corrupt, "a stored record holds a node of the unknown kind \(tag)")
        }
    }
}
