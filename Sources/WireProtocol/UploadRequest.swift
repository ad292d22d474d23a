public import Blocks
public import Model

/// What a device says is on its way, before the bytes are known.
public struct UploadItem: Hashable, Sendable {
    /// The node that it will be.
    public let node: NodeID
    /// The folder that will hold it.
    public let parent: NodeID
    /// Its name there.
    public let name: NodeName
    /// Its size in bytes, as far as known.
    public let size: UInt64

    /// Makes an item of its parts.
    public init(node: NodeID, parent: NodeID, name: NodeName, size: UInt64) {
        self.node = node
        self.parent = parent
        self.name = name
        self.size = size
    }
}

/// Asks to commit a set of changes, with as much of what they need as fits.
///
/// Sent whole (`complete`), it commits at once when every block and page is durable or rides along, else it is
/// stored PENDING and commits when the last missing block is durable. Sent with items only, it announces a large
/// file whose blocks follow in windows; the complete request with the same id ends it.
public struct UploadRequest: WireMessage, Hashable {
    /// The upload, and the idempotency key of its commit.
    public var upload: UploadID
    /// Whether `changes` is the whole set, so that it may commit.
    public var complete: Bool
    /// What is on its way; only when not complete.
    public var items: [UploadItem]
    /// The changes to commit.
    public var changes: [NodeChange]
    /// Encoded recipe pages that the server may lack, children before parents.
    public var pages: [[UInt8]]
    /// Blocks that ride along.
    public var blocks: [EncodedBlock]

    /// Makes a request of its parts.
    public init(
        upload: UploadID, complete: Bool = true, items: [UploadItem] = [], changes: [NodeChange] = [],
        pages: [[UInt8]] = [], blocks: [EncodedBlock] = []
    ) {
        self.upload = upload
        self.complete = complete
        self.items = items
        self.changes = changes
        self.pages = pages
        self.blocks = blocks
    }

    /// Appends the fields.
    public func write(to writer: inout WireWriter) throws(WireError) {
        writer.identifier(upload)
        writer.byte(complete ? 1 : 0)
        writer.list(blocks) { WireBlocks.write($1, to: &$0) }
        writer.list(pages) { $0.sized($1) }
        writer.list(items) { writer, item in
            writer.record { writer in
                writer.identifier(item.node)
                writer.identifier(item.parent)
                writer.sized(item.name.bytes)
                writer.number(item.size)
            }
        }
        let inline = Dictionary(
            blocks.enumerated().map { ($0.element.id, $0.offset) }, uniquingKeysWith: { first, _ in first })
        writer.list(changes) { WireNodes.write($1, inline: inline, to: &$0) }
    }

    /// Takes the fields.
    public init(from reader: inout WireReader) throws(WireError) {
        upload = try reader.identifier("upload")
        let flag = try reader.byte("complete")
        guard flag <= 1 else { throw WireError(.malformed, "complete: \(flag)") }
        complete = flag == 1
        let blocks = try reader.list("blocks", atMost: WireLimits.maximumBlocks, WireBlocks.readBlock)
        self.blocks = blocks
        pages = try WireBlocks.readPages(&reader)
        items = try reader.list("items", atMost: WireLimits.maximumChanges, Self.readItem)
        changes = try reader.list("changes", atMost: WireLimits.maximumChanges) { reader throws(WireError) in
            try WireNodes.readChange(&reader, inline: blocks)
        }
    }

    private static func readItem(_ reader: inout WireReader) throws(WireError) -> UploadItem {
        try reader.record("item") { reader throws(WireError) in
            let node: NodeID = try reader.identifier("item.node")
            let parent: NodeID = try reader.identifier("item.parent")
            let bytes = try reader.sized("item.name", atMost: 4096)
            do {
                return UploadItem(
                    node: node, parent: parent, name: try NodeName(bytes: bytes),
                    size: try reader.number("item.size"))
            } catch let error as WireError {
                throw error
            } catch {
                throw WireError(.malformed, "item.name: \(error)")
            }
        }
    }
}
