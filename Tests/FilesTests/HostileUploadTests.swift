import Blocks
import Files
import Model
import Testing
import WireProtocol

/// A device may send anything. Whatever it is, the answer is an error that names it, and nothing is committed.
@Suite("Uploads that lie")
struct HostileUploadTests {
    struct Lie: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let code: FilesError.Code
        let request: @Sendable () -> UploadRequest

        init(_ name: String, _ code: FilesError.Code, _ request: @escaping @Sendable () -> UploadRequest) {
            testDescription = name
            self.code = code
            self.request = request
        }
    }

    private static let small = SampleFile(Array("some text".utf8))
    private static let large = SampleFile(random: 30_000, seed: 1)

    private static func change(_ content: Content, node: NodeID = Ids.node(1)) -> NodeChange {
        NodeChange(
            node: node, base: .zero,
            state: NodeState(
                parent: .root, name: try! NodeName("f"), payload: .file(content), mode: 0o644,
                modified: Timestamp(nanoseconds: 0)))
    }

    private static func complete(
        _ changes: [NodeChange], pages: [[UInt8]] = [], blocks: [EncodedBlock] = []
    ) -> UploadRequest {
        UploadRequest(upload: Ids.upload(1), changes: changes, pages: pages, blocks: blocks)
    }

    static let lies = [
        Lie("no change at all", .invalidRequest) { complete([]) },
        Lie("an announcement of nothing", .invalidRequest) { UploadRequest(upload: Ids.upload(1), complete: false) },
        Lie("a node twice", .invalidRequest) {
            complete([small.change("a", node: 1), small.change("b", node: 1)], blocks: small.blocks)
        },
        Lie("the root", .invalidRequest) { complete([change(small.content, node: .root)], blocks: small.blocks) },
        Lie("a block under another's name", .hashMismatch) {
            let other = SampleFile(Array("else text".utf8)).blocks[0]
            let block = EncodedBlock(
                id: small.blocks[0].id, codec: other.codec, length: other.length, payload: other.payload)
            return complete([small.change("f", node: 1)], blocks: [block])
        },
        Lie("a block that is longer than it says", .invalidPage) {
            let content = Content(id: small.content.id, size: small.content.size - 1)
            return complete([change(content)], blocks: small.blocks)
        },
        Lie("a block that is no zstd frame", .hashMismatch) {
            let block = EncodedBlock(id: small.blocks[0].id, codec: .zstd, length: 9, payload: [1, 2, 3])
            return complete([small.change("f", node: 1)], blocks: [block])
        },
        Lie("a block above the bound", .tooLarge) {
            let block = EncodedBlock(id: small.blocks[0].id, codec: .zstd, length: 2 << 20, payload: [1, 2, 3])
            return complete([small.change("f", node: 2)], blocks: small.blocks + [block])
        },
        Lie("one block of two megabytes", .invalidRequest) {
            complete([change(Content(id: small.content.id, size: 2 << 20))])
        },
        Lie("an empty file with the content of another", .invalidRequest) {
            complete([change(Content(id: small.content.id, size: 0))])
        },
        Lie("a long file with the content of nothing", .invalidRequest) {
            complete([change(Content(id: Content.empty.id, size: 10))])
        },
        Lie("a page that is noise", .invalidPage) {
            complete([large.change("f", node: 1)], pages: [[1, 2, 3]])
        },
        Lie("a recipe that adds up to another size", .invalidPage) {
            let content = Content(id: large.content.id, size: large.content.size + 1)
            return complete([change(content)], pages: large.encodedPages)
        },
        Lie("a root page of another level", .invalidPage) {
            let id = ContentID(level: large.content.id.level + 1, digest: large.content.id.digest)
            return complete([change(Content(id: id, size: large.content.size))], pages: large.encodedPages)
        },
        Lie("more levels than any recipe", .invalidPage) {
            complete([change(Content(id: ContentID(level: 200, digest: large.content.id.digest), size: 99))])
        },
        Lie("a block with two lengths", .invalidPage) {
            let block = large.blocks[0]
            let content = Content(id: ContentID(level: 0, digest: block.id.digest), size: 7)
            return complete(
                [large.change("f", node: 1), change(content, node: Ids.node(2))], pages: large.encodedPages)
        },
        Lie("a link to nowhere", .invalidRequest) {
            let state = NodeState(
                parent: .root, name: try! NodeName("l"), payload: .symlink(target: []), mode: 0o777,
                modified: Timestamp(nanoseconds: 0))
            return complete([NodeChange(node: Ids.node(1), base: .zero, state: state)])
        },
        Lie("a file larger than any", .invalidRequest) {
            complete([change(Content(id: large.content.id, size: .max))])
        },
    ]

    @Test("is refused by name, and leaves nothing", arguments: lies)
    func lie(_ lie: Lie) async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        await #expect(throws: FilesError(lie.code, "")) { try await shop.upload(lie.request(), by: ada) }
        #expect(shop.takeNotices() == [])
        #expect(try await shop.head(of: ada).revision == .zero)
        #expect(try await ListPendingUploads(shop.context)(in: ada.home, by: ada).isEmpty)
    }

    @Test("about the length of a block that comes later is found when it comes")
    func lateLie() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let file = SampleFile(Array("some text".utf8))
        let lie = Content(id: file.content.id, size: 8)
        let request = Self.complete([Self.change(lie)])
        #expect(try await shop.upload(request, by: ada).missingBlocks == [file.blocks[0].id])
        await #expect(throws: FilesError(.invalidPage, "")) {
            try await shop.send(file.blocks, for: Ids.upload(1), by: ada)
        }
        await #expect(throws: FilesError(.invalidPage, "")) { try await shop.upload(request, by: ada) }
        #expect(try await shop.head(of: ada).revision == .zero)
    }

    @Test("a namespace, an upload or a block of another account is as if it were not there")
    func othersThings() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let eve = try await shop.account("eve")
        let file = SampleFile(random: 5000, seed: 2)
        let request = UploadRequest(
            upload: Ids.upload(1), changes: [file.change("f", node: 1)], pages: file.encodedPages)
        _ = try await shop.upload(request, by: ada)
        await #expect(throws: FilesError(.notFound, "")) {
            try await ReceiveUpload(shop.context, completion: shop.completion)(request, in: ada.home, by: eve)
        }
        await #expect(throws: FilesError(.notFound, "")) { try await shop.upload(request, by: eve) }
        await #expect(throws: FilesError(.notFound, "")) {
            try await shop.send(file.blocks, for: Ids.upload(1), by: eve)
        }
        await #expect(throws: FilesError(.notFound, "")) {
            try await StorePages(shop.context)(file.encodedPages, of: Ids.upload(1), by: eve)
        }
        await #expect(throws: FilesError(.notFound, "")) {
            try await ListPendingUploads(shop.context)(in: ada.home, by: eve)
        }
        _ = try await shop.send(file.blocks, for: Ids.upload(1), by: ada)
        await #expect(throws: FilesError(.notFound, "")) {
            try await FetchBlocks(shop.context)([file.blocks[0].id], by: eve)
        }
        await #expect(throws: FilesError(.notFound, "")) {
            try await FetchPages(shop.context)([.init(want: file.content.id, have: nil)], by: eve)
        }
        #expect(try await FindMissingBlocks(shop.context)([file.blocks[0].id], by: eve) == [file.blocks[0].id])
        #expect(try await FindMissingBlocks(shop.context)([file.blocks[0].id], by: ada).isEmpty)
    }

    @Test("a device can't take over the upload of another")
    func anothersUpload() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let phone = try await shop.logIn().principal
        let file = SampleFile(random: 5000, seed: 3)
        let request = UploadRequest(
            upload: Ids.upload(1), changes: [file.change("f", node: 1)], pages: file.encodedPages)
        _ = try await shop.upload(request, by: ada)
        await #expect(throws: FilesError(.conflict, "")) { try await shop.upload(request, by: phone) }
    }
}
