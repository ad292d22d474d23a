import Blocks
import Model
import TestSupport
import WireProtocol

/// A file as a device prepares it: its blocks and pages, cut small so that little data gives many of both.
struct SampleFile: Sendable {
    static let chunker = Chunker(ChunkerParameters(minimum: 64, normal: 128, maximum: 512))

    let bytes: [UInt8]
    let content: Content
    let blocks: [EncodedBlock]
    let pages: [RecipePage]

    init(_ bytes: [UInt8], chunker: Chunker = Self.chunker) {
        self.bytes = bytes
        var builder = RecipeBuilder()
        var blocks: [EncodedBlock] = []
        var pages: [RecipePage] = []
        let encoder = BlockEncoder()
        bytes.withUnsafeBytes { bytes in
            var position = 0
            while position < bytes.count {
                let rest = UnsafeRawBufferPointer(rebasing: bytes[position...])
                let length = chunker.boundary(in: rest, atEnd: true)!
                let plain = UnsafeRawBufferPointer(rebasing: rest[..<length])
                let id = BlockID(SHA256Hasher.digest(of: plain))
                blocks.append(encoder.encode(plain, id: id, as: .zstd(level: 1)))
                builder.append(RecipeEntry(block: id, length: UInt32(length))) { pages.append($0) }
                position += length
            }
        }
        content = builder.finish { pages.append($0) }
        var seen: Set<BlockID> = []
        self.blocks = blocks.filter { seen.insert($0.id).inserted }
        self.pages = pages
    }

    /// A file of bytes that nobody has.
    init(random count: Int, seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        self.init(random.bytes(count))
    }

    var encodedPages: [[UInt8]] { pages.map(\.encoded) }

    /// The state of a node that holds the file.
    func state(_ name: String, in parent: NodeID = .root) -> NodeState {
        NodeState(
            parent: parent, name: try! NodeName(name), payload: .file(content), mode: 0o644,
            modified: Timestamp(nanoseconds: 5))
    }

    /// The change that puts the file into a namespace.
    func change(_ name: String, node: UInt64, base: UInt64 = 0, in parent: NodeID = .root) -> NodeChange {
        NodeChange(node: Ids.node(node), base: Revision(base), state: state(name, in: parent))
    }
}

/// Identifiers that tests can name.
enum Ids {
    static func node(_ number: UInt64) -> NodeID { NodeID(high: 1, low: number) }

    static func upload(_ number: UInt64) -> UploadID { UploadID(high: 2, low: number) }

    static func folder(_ name: String, node number: UInt64, in parent: NodeID = .root) -> NodeChange {
        NodeChange(
            node: node(number), base: .zero,
            state: NodeState(
                parent: parent, name: try! NodeName(name), payload: .folder, mode: 0o755,
                modified: Timestamp(nanoseconds: 5)))
    }
}

extension UploadOutcome {
    var revision: UInt64? { if case .committed(let revision, _) = self { revision.number } else { nil } }

    var missingBlocks: [BlockID]? { if case .pending(let blocks, _) = self { blocks } else { nil } }

    var missingPages: [PageID]? { if case .pending(_, let pages) = self { pages } else { nil } }

    var refusals: [Refusal]? { if case .refused(let refusals) = self { refusals } else { nil } }
}
