import Blocks
import Model

/// How node states and changes are written. A content whose only block rides in the same message names it by
/// its place in the list of blocks instead of repeating its hash.
enum WireNodes {
    private enum Kind {
        static let folder: UInt8 = 0
        static let file: UInt8 = 1
        static let symlink: UInt8 = 2
        static let fileOfInlineBlock: UInt8 = 3
        static let removed: UInt8 = 0xFF
    }

    static func write(_ change: NodeChange, inline: [BlockID: Int], to writer: inout WireWriter) {
        writer.record { writer in
            writer.identifier(change.node)
            writer.number(change.base.number)
            write(change.state, inline: inline, to: &writer)
        }
    }

    static func readChange(
        _ reader: inout WireReader, inline: [EncodedBlock]
    ) throws(WireError) -> NodeChange {
        try reader.record("change") { reader throws(WireError) in
            let node: NodeID = try reader.identifier("change.node")
            let base = Revision(try reader.number("change.base"))
            return NodeChange(node: node, base: base, state: try readState(&reader, inline: inline))
        }
    }

    static func write(_ state: NodeState?, inline: [BlockID: Int], to writer: inout WireWriter) {
        guard let state else { return writer.byte(Kind.removed) }
        switch state.payload {
        case .folder:
            writer.byte(Kind.folder)
        case .symlink(let target):
            writer.byte(Kind.symlink)
            writer.sized(target)
        case .file(let content):
            if let block = content.id.block, let index = inline[block] {
                writer.byte(Kind.fileOfInlineBlock)
                writer.count(index)
            } else {
                writer.byte(Kind.file)
                write(content, to: &writer)
            }
        }
        writer.identifier(state.parent)
        writer.sized(state.name.bytes)
        writer.number(UInt64(state.mode))
        writer.signed(state.modified.nanoseconds)
    }

    static func readState(
        _ reader: inout WireReader, inline: [EncodedBlock]
    ) throws(WireError) -> NodeState? {
        let kind = try reader.byte("node.kind")
        if kind == Kind.removed { return nil }
        let payload = try readPayload(kind, &reader, inline: inline)
        let parent: NodeID = try reader.identifier("node.parent")
        let bytes = try reader.sized("node.name", atMost: 4096)
        let name: NodeName
        do { name = try NodeName(bytes: bytes) } catch { throw WireError(.malformed, "node.name: \(error)") }
        let mode = try reader.number("node.mode")
        guard mode <= 0o7777 else { throw WireError(.malformed, "node.mode: \(mode)") }
        let modified = Timestamp(nanoseconds: try reader.signed("node.modified"))
        return NodeState(parent: parent, name: name, payload: payload, mode: UInt16(mode), modified: modified)
    }

    private static func readPayload(
        _ kind: UInt8, _ reader: inout WireReader, inline: [EncodedBlock]
    ) throws(WireError) -> NodePayload {
        switch kind {
        case Kind.folder:
            return .folder
        case Kind.symlink:
            return .symlink(target: try reader.sized("node.target", atMost: WireLimits.maximumTargetLength))
        case Kind.file:
            return .file(try readContent(&reader))
        case Kind.fileOfInlineBlock:
            let index = try reader.count("node.block", atMost: max(0, inline.count - 1))
            guard index < inline.count else { throw WireError(.malformed, "node.block: no such block") }
            let block = inline[index]
            return .file(
                Content(id: ContentID(level: 0, digest: block.id.digest), size: UInt64(block.length)))
        default:
            throw WireError(.malformed, "node.kind: \(kind)")
        }
    }

    static func write(_ content: Content, to writer: inout WireWriter) {
        write(content.id, to: &writer)
        writer.number(content.size)
    }

    static func readContent(_ reader: inout WireReader) throws(WireError) -> Content {
        Content(id: try readContentID(&reader), size: try reader.number("content.size"))
    }

    static func write(_ id: ContentID, to writer: inout WireWriter) {
        writer.byte(id.level)
        writer.digest(id.digest)
    }

    static func readContentID(_ reader: inout WireReader) throws(WireError) -> ContentID {
        let level = try reader.byte("content.level")
        guard level <= 16 else { throw WireError(.malformed, "content.level: \(level)") }
        return ContentID(level: level, digest: try reader.digest("content.digest"))
    }
}
