import Blocks
import Files
import Metadata
import Model
import Synchronization
import Testing
import WireProtocol

/// A cache that counts, and whose entries a test can see and damage.
private final class OpenCache: MetadataCache {
    private let state = Mutex<(entries: [MetadataCacheKey: [UInt8]], hits: Int)>(([:], 0))

    var isUseful: Bool { true }
    var hits: Int { state.withLock { $0.hits } }
    var count: Int { state.withLock { $0.entries.count } }

    func get(_ keys: [MetadataCacheKey]) async -> [MetadataCacheKey: [UInt8]] {
        state.withLock { state in
            let found = state.entries.filter { keys.contains($0.key) }
            state.hits += found.count
            return found
        }
    }

    func put(_ entries: [MetadataCacheKey: [UInt8]]) async {
        state.withLock { $0.entries.merge(entries) { _, new in new } }
    }

    func change(_ body: (inout [UInt8]) -> Void) {
        state.withLock { state in
            for key in state.entries.keys { body(&state.entries[key]!) }
        }
    }
}

@Suite("Answers from the cache")
struct CachedAnswersTests {
    private func names(_ page: ListFolder.Page) -> [String] { page.entries.map(\.state.name.description) }

    @Test func `a listing is kept, and a commit makes another`() async throws {
        let cache = OpenCache()
        let shop = try await Workshop(cache: cache)
        let ada = try await shop.account()
        for number in 0..<5 { try await shop.write("/f\(number)", [1], by: ada) }
        let list = ListFolder(shop.context)
        let first = try await list(.root, limit: 3, in: ada.home, by: ada)
        #expect(cache.hits == 0)
        #expect(try await list(.root, limit: 3, in: ada.home, by: ada) == first)
        #expect(cache.hits == 1)
        #expect(names(first) == ["f0", "f1", "f2"])
        let rest = try await list(.root, after: first.next, limit: 3, in: ada.home, by: ada)
        #expect(names(rest) == ["f3", "f4"])
        #expect(rest.next == nil)
        #expect(try await list(.root, after: first.next, limit: 3, in: ada.home, by: ada) == rest)
        #expect(cache.hits == 2)
        try await shop.write("/f0a", [1], by: ada)
        let fresh = try await list(.root, limit: 3, in: ada.home, by: ada)
        #expect(names(fresh) == ["f0", "f0a", "f1"])
        #expect(fresh.revision == first.revision.next)
        #expect(cache.hits == 2)
        // The past is the page that was kept.
        #expect(try await list(.root, at: .revision(first.revision), limit: 3, in: ada.home, by: ada) == first)
        #expect(cache.hits == 3)
    }

    @Test func `answers with a cache are those without`() async throws {
        let shop = try await Workshop(cache: OpenCache())
        let ada = try await shop.account()
        try await shop.makeFolder("/d", by: ada)
        for number in 0..<4 {
            try await shop.write("/d/f\(number)", [1], by: ada)
            try await shop.write("/d/f0", [UInt8(number)], by: ada)
        }
        try await shop.remove("/d/f1", by: ada)
        let plain = FilesContext(
            database: shop.database, store: shop.store, keyRing: FixedKeyRing(shop.keyRing), bus: shop.bus,
            clock: shop.clock, randomness: shop.context.randomness, workers: shop.context.workers,
            limits: shop.context.limits, log: shop.context.log)
        let head = try await shop.head(of: ada).revision
        for _ in 0..<2 {
            for number in 0...head.number {
                for path in [RemotePath.root, try RemotePath("/d")] {
                    func answer(_ context: FilesContext) async -> Result<ListFolder.Page, FilesError> {
                        do {
                            return .success(
                                try await ListFolder(context)(
                                    path, at: .revision(Revision(number)), in: ada.home, by: ada))
                        } catch {
                            return .failure(error as? FilesError ?? FilesError(.rangeNotSatisfiable, "\(error)"))
                        }
                    }
                    #expect(await answer(shop.context) == answer(plain), "\(path) at \(number)")
                }
            }
        }
    }

    @Test func `who may not see a folder is not told from the cache`() async throws {
        let cache = OpenCache()
        let shop = try await Workshop(cache: cache)
        let (ada, eve) = (try await shop.account(), try await shop.account("eve"))
        try await shop.write("/f", [1], by: ada)
        _ = try await ListFolder(shop.context)(.root, in: ada.home, by: ada)
        await #expect(throws: FilesError(.notFound, "")) {
            try await ListFolder(shop.context)(.root, in: ada.home, by: eve)
        }
        #expect(cache.hits == 0)
    }

    @Test func `what can't be read is read from the database`() async throws {
        let cache = OpenCache()
        let shop = try await Workshop(cache: cache)
        let ada = try await shop.account()
        try await shop.write("/f", [1], by: ada)
        let list = ListFolder(shop.context)
        let page = try await list(.root, in: ada.home, by: ada)
        cache.change { $0.removeLast() }
        #expect(try await list(.root, in: ada.home, by: ada) == page)
        cache.change { $0 = [] }
        #expect(try await list(.root, in: ada.home, by: ada) == page)
        #expect(cache.hits == 2)
    }

    @Test func `the pages of a recipe are kept, for their account`() async throws {
        let cache = OpenCache()
        let shop = try await Workshop(cache: cache)
        let (ada, eve) = (try await shop.account(), try await shop.account("eve"))
        let file = SampleFile(random: 100_000, seed: 4)
        _ = try await shop.upload(
            UploadRequest(
                upload: Ids.upload(1), changes: [file.change("f", node: 1)], pages: file.encodedPages,
                blocks: file.blocks), by: ada)
        let fetch = FetchPages(shop.context)
        let question = FetchPages.Question(want: file.content.id, have: nil)
        let pages = try await fetch([question], by: ada)
        #expect(Set(pages) == Set(file.encodedPages))
        #expect(cache.hits == 0)
        #expect(try await fetch([question], by: ada) == pages)
        #expect(cache.hits == 1)
        await #expect(throws: FilesError(.notFound, "")) { try await fetch([question], by: eve) }
        cache.change { $0.removeLast() }
        #expect(try await fetch([question], by: ada) == pages)
        #expect(try await fetch([], by: ada).isEmpty)
    }
}
