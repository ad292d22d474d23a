import Blocks
import Model
import TestSupport
import WireProtocol

/// A file as a device prepares it for the binary routes.
struct DeviceFile: Sendable {
    let bytes: [UInt8]
    let content: Content
    let blocks: [EncodedBlock]
    let pages: [RecipePage]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        let chunker = Chunker(ChunkerParameters(minimum: 64, normal: 1024, maximum: 4096))
        let encoder = BlockEncoder()
        var (builder, blocks, pages) = (RecipeBuilder(), [EncodedBlock](), [RecipePage]())
        bytes.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while let length = chunker.boundary(in: UnsafeRawBufferPointer(rebasing: rest), atEnd: true) {
                let plain = UnsafeRawBufferPointer(rebasing: rest.prefix(length))
                let id = BlockID(SHA256Hasher.digest(of: plain))
                blocks.append(encoder.encode(plain, id: id, as: .zstd(level: 1)))
                builder.append(RecipeEntry(block: id, length: UInt32(length))) { pages.append($0) }
                rest = rest.dropFirst(length)
            }
        }
        content = builder.finish { pages.append($0) }
        self.blocks = blocks
        self.pages = pages
    }

    init(random count: Int, seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        self.init(random.bytes(count))
    }

    func change(_ name: String, node: UInt64) -> NodeChange {
        NodeChange(
            node: NodeID(high: 1, low: node), base: .zero,
            state: NodeState(
                parent: .root, name: try! NodeName(name), payload: .file(content), mode: 0o644,
                modified: Timestamp(nanoseconds: 7)))
    }
}
