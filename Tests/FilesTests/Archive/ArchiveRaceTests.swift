import Blocks
import Metadata
import Model
import Storage
import TestSupport
import Testing
import WireProtocol

@testable import Files

/// An upload names a block that is just being moved to the archive.
@Suite("The archive and uploads at every interleaving")
struct ArchiveRaceTests {
    private static let old = text("what was there before", 40)

    /// A shop with a block that only an old version needs, and that can go.
    private func shop() async throws -> ArchiveShop {
        let shop = try await ArchiveShop()
        try await shop.supersede("/f", Self.old, by: [1])
        shop.pass(days: 91)
        return shop
    }

    private var file: SampleFile { SampleFile(single: Self.old) }

    /// Whatever the order was: the file is there, and nothing that a current file needs lies in the archive only.
    private func check(_ shop: ArchiveShop, _ path: String, _ order: [Int]) async throws {
        #expect(try await shop.coldNeeded().isEmpty, "order \(order)")
        #expect(try await shop.shop.read(path, by: shop.ada) == Self.old, "order \(order)")
        #expect(try await shop.shop.read("/f", by: shop.ada) == [1], "order \(order)")
        // Another round leaves it so.
        try await shop.archive()
        #expect(try await shop.coldNeeded().isEmpty, "order \(order)")
    }

    /// Runs a body against a move, in all orders or in as many as are asked for.
    private func interleave(
        atMost limit: Int = .max, seed: UInt64 = 1, path: String,
        _ body: @escaping @Sendable (ArchiveShop, FilesContext) async throws -> Void,
        _ settle: (ArchiveShop) async throws -> Void
    ) async throws -> Int {
        var orders = TurnOrders()
        var random = SeededGenerator(seed: seed)
        var count = 0
        while count < limit {
            let chosen =
                limit == .max
                ? orders.order
                : (0..<60).map { _ in
                    Int.random(in: 0...1, using: &random) * Int.random(in: 0...1, using: &random)
                }
            guard let order = chosen else { break }
            let shop = try await shop()
            let scheduler = StepScheduler(order: order)
            let context = shop.watched(scheduler.hook)
            try await scheduler.run {
                _ = try await ArchiveBlocks(context)()
            } _: {
                try await body(shop, context)
            }
            try await settle(shop)
            try await check(shop, path, scheduler.choices)
            if limit == .max { orders.advance(after: scheduler.choices) }
            count += 1
        }
        return count
    }

    private func request() -> UploadRequest {
        UploadRequest(upload: Ids.upload(1), changes: [file.change("new", node: 1)], pages: file.encodedPages)
    }

    /// Does what a device does: asks again, and sends what is missing.
    private func finish(_ shop: ArchiveShop, _ request: UploadRequest) async throws {
        for _ in 0..<3 {
            let outcome = try await shop.shop.upload(request, by: shop.ada)
            guard let missing = outcome.missingBlocks else {
                #expect(outcome.revision != nil)
                return
            }
            _ = try await shop.shop.send(
                file.blocks.filter { missing.contains($0.id) }, for: request.upload, by: shop.ada)
        }
        Issue.record("the upload does not come to its end")
    }

    @Test("an upload that needs the block commits with it hot, or is told that it is missing")
    func named() async throws {
        let request = request()
        let count = try await interleave(path: "/new") { shop, context in
            let outcome = try await ReceiveUpload(context, completion: CompleteUpload(context))(
                request, in: shop.ada.home, by: shop.ada)
            #expect(outcome.revision != nil || outcome.missingBlocks == self.file.blocks.map(\.id))
        } _: { shop in
            try await finish(shop, request)
        }
        #expect(count > 100)
    }

    @Test("a block that rides along with the upload is hot afterwards")
    func inline() async throws {
        let request = UploadRequest(
            upload: Ids.upload(1), changes: [file.change("new", node: 1)], pages: file.encodedPages, blocks: file.blocks
        )
        let count = try await interleave(atMost: 120, path: "/new") { shop, context in
            _ = try await ReceiveUpload(context, completion: CompleteUpload(context))(
                request, in: shop.ada.home, by: shop.ada)
        } _: { shop in
            try await finish(shop, request)
        }
        #expect(count == 120)
    }

    @Test("a block that is sent for a waiting upload completes it, or is asked for once more")
    func sent() async throws {
        let (request, other) = (request(), SampleFile(single: text("another file", 30)))
        let both = UploadRequest(
            upload: Ids.upload(1), changes: request.changes + [other.change("other", node: 2)],
            pages: request.pages + other.encodedPages)
        let count = try await interleave(atMost: 120, seed: 2, path: "/new") { shop, context in
            let completion = CompleteUpload(context)
            _ = try await ReceiveUpload(context, completion: completion)(both, in: shop.ada.home, by: shop.ada)
            _ = try await StoreBlocks(context, completion: completion)(
                self.file.blocks + other.blocks, for: both.upload, by: shop.ada)
        } _: { shop in
            for _ in 0..<3 {
                let outcome = try await shop.shop.upload(both, by: shop.ada)
                guard let missing = outcome.missingBlocks else { break }
                let blocks = (file.blocks + other.blocks).filter { missing.contains($0.id) }
                _ = try await shop.shop.send(blocks, for: both.upload, by: shop.ada)
            }
        }
        #expect(count == 120)
    }

    @Test("a file that is written as a whole keeps the blocks that were there until it is committed")
    func whole() async throws {
        let count = try await interleave(atMost: 150, seed: 3, path: "/new") { shop, context in
            _ = try await WriteFile(context, completion: CompleteUpload(context))(
                RemotePath("/new"), body: Pieces(pieces: [Self.old]), in: shop.ada.home, by: shop.ada)
        } _: { _ in
        }
        #expect(count == 150)
    }

    @Test("a restore against a move is hot, or is asked back")
    func restore() async throws {
        let content = SampleWhole(Self.old).content
        let count = try await interleave(atMost: 120, seed: 4, path: "/new") { shop, context in
            let tree = TreeCommit(
                context: context, namespace: shop.ada.home, principal: shop.ada, path: .root, takesArchived: true)
            let state = NodeState(
                parent: .root, name: try NodeName("new"), payload: .file(content), mode: 0o644,
                modified: Timestamp(nanoseconds: 5))
            _ = try await tree.run(upload: Ids.upload(8)) { _ in
                [NodeChange(node: Ids.node(8), base: .zero, state: state)]
            }
        } _: { shop in
            try await WarmFiles(shop.context)()
            _ = try await shop.thaw()
            shop.shop.clock.advance(by: ArchiveShop.delay)
            _ = try await shop.thaw()
        }
        #expect(count == 120)
    }

    @Test("the orders of two tasks are all tried, each once")
    func orders() async throws {
        var orders = TurnOrders()
        var seen: Set<[Int]> = []
        while let order = orders.order {
            let scheduler = StepScheduler(order: order)
            try await scheduler.run {
                for _ in 0..<3 { try await scheduler.hook.before("") }
            } _: {
                for _ in 0..<2 { try await scheduler.hook.before("") }
            }
            #expect(scheduler.counts == [4, 3])
            #expect(seen.insert(scheduler.choices).inserted)
            orders.advance(after: scheduler.choices)
        }
        // Seven steps, of which three are the second's.
        #expect(seen.count == 35)
    }
}

extension SampleFile {
    /// A file of one block, cut as the server cuts it.
    init(single bytes: [UInt8]) {
        self.init(bytes, chunker: Chunker())
    }
}
