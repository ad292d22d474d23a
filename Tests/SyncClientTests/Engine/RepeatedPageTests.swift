import Blocks
import Foundation
import Model
import Synchronization
import TestSupport
import Testing

@testable import SyncClient

/// Files with long runs of zeros: disk images, databases that were grown ahead. A page of their recipes that names
/// nothing but the block of zeros is there many times.
@Suite("Recipes that name a page twice")
struct RepeatedPageTests {
    private let zeros = RecipeEntry(
        block: BlockID(SHA256Hasher.digest(of: [UInt8](repeating: 0, count: 512 << 10))), length: 512 << 10)

    private func entries(_ head: Int, zeros count: Int, seed: UInt64) -> [RecipeEntry] {
        var generator = SeededGenerator(seed: seed)
        let start = (0..<head).map { _ in
            RecipeEntry(block: BlockID(SHA256Hasher.digest(of: generator.bytes(16))), length: 100_000)
        }
        return start + Array(repeating: zeros, count: count) + start.reversed()
    }

    /// The pages of a recipe, each once, as a server has them.
    private func recipe(_ entries: [RecipeEntry]) -> (content: Content, pages: [PageID: [UInt8]], named: Int) {
        var builder = RecipeBuilder()
        var pages: [PageID: [UInt8]] = [:]
        var named = 0
        func take(_ page: RecipePage) {
            pages[page.id] = page.encoded
            named += 1
        }
        for entry in entries { builder.append(entry, emit: take) }
        return (builder.finish(emit: take), pages, named)
    }

    private func fetched(
        _ content: Content, _ device: TestDevice, old: Content? = nil
    ) async throws -> [RecipeEntry] {
        var fetch = try await RecipeFetch(
            context: device.context(), link: LinkID(rawValue: 1), content: content, old: old)
        var found: [RecipeEntry] = []
        var offset: UInt64 = 0
        while let part = try await fetch.next() {
            for (entry, at) in part {
                #expect(at == offset)
                offset += UInt64(entry.length)
                found.append(entry)
            }
        }
        return found
    }

    @Test("they are fetched, with every entry at its place")
    func download() async throws {
        let server = MemoryServer()
        let device = try TestDevice("a", server)
        let list = entries(300, zeros: 1300, seed: 1)
        let (content, pages, named) = recipe(list)
        #expect(pages.count < named, "a page is named more than once")
        server.state.withLock { $0.pages = pages }
        #expect(try await fetched(content, device) == list)
        #expect(server.count(.fetchPages) <= 2)
        // From the state, without the server.
        server.resetCounts()
        #expect(try await fetched(content, device) == list)
        #expect(server.count(.fetchPages) == 0)
    }

    @Test("they are fetched as a splice of an older version with the same page")
    func splice() async throws {
        let server = MemoryServer()
        let device = try TestDevice("a", server)
        let old = entries(300, zeros: 1300, seed: 2)
        let (before, first, _) = recipe(old)
        server.state.withLock { $0.pages = first }
        _ = try await fetched(before, device)
        let new = entries(290, zeros: 1800, seed: 2)
        let (after, second, _) = recipe(new)
        server.state.withLock { $0.pages.merge(second) { $1 } }
        #expect(try await fetched(after, device, old: before) == new)
    }

    @Test("each page and block of them travels once")
    func upload() throws {
        let list = entries(300, zeros: 1300, seed: 3)
        let (content, pages, named) = recipe(list)
        var stream = PageStream(RecipeSplice())
        for entry in list { stream.append(entry) }
        #expect(stream.finish() == content)
        #expect(stream.pages.count == pages.count && pages.count < named)
        var offset: UInt64 = 0
        var offsets: [RecipeEntry: Set<UInt64>] = [:]
        for entry in list {
            offsets[entry, default: []].insert(offset)
            offset += UInt64(entry.length)
        }
        for (entry, at) in stream.blocks { #expect(offsets[entry]?.contains(at) == true) }
        #expect(Set(stream.blocks.map(\.entry)) == Set(list))
    }

    @Test("a sparse file of them is the same on the other device")
    func wholeWay() async throws {
        let server = MemoryServer()
        let (a, b) = (try TestDevice("a", server), try TestDevice("b", server))
        try a.write("image", "head")
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: a.path("image")))
        try handle.truncate(atOffset: 400 << 20)
        try handle.close()
        try await a.sync()
        try await b.sync()
        let size = try FileManager.default.attributesOfItem(atPath: b.path("image"))[.size] as? UInt64
        #expect(size == 400 << 20)
        #expect(server.state.withLock { $0.storedBytes } < 4 << 20)
    }
}
