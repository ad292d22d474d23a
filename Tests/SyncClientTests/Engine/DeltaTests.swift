import Blocks
import Foundation
import Model
import Synchronization
import TestSupport
import Testing
import WireProtocol

@testable import SyncClient

@Suite("Edits of large files")
struct DeltaTests {
    let server = MemoryServer()
    private let length = 24 << 20

    private func writeAt(_ device: TestDevice, _ name: String, _ offset: Int, _ text: String) throws {
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: device.path(name)))
        try handle.seek(toOffset: UInt64(offset))
        try handle.write(contentsOf: Data(text.utf8))
        try handle.close()
    }

    @Test("one byte changed sends two blocks at most and a few pages, in one request, and fetches no more")
    func oneByte() async throws {
        let (a, b) = (try TestDevice("a", server), try TestDevice("b", server))
        var generator = SeededGenerator(seed: 1)
        try a.write("image", generator.bytes(length))
        try await converge(a, b)
        server.resetCounts()
        try writeAt(a, "image", length / 2, "X")
        try await a.sync(PassOptions(scope: .full, fetches: false, recovers: false))
        #expect(server.state.withLock { $0.storedBlocks } <= 2)
        #expect(server.state.withLock { $0.keptPages } <= 3)
        #expect(server.totalCalls == 1)
        server.resetCounts()
        let counter = try await b.syncCounting()
        #expect(a.bytes("image") == b.bytes("image"))
        #expect(counter.blocksFetched <= 2)
        #expect(counter.blocksReused > 100)
        #expect(server.state.withLock { $0.sentPages } <= 3)
        #expect(server.count(.fetchBlocks) == 1)
    }

    @Test("a byte inserted at the front sends two blocks at most")
    func insertion() async throws {
        let (a, b) = (try TestDevice("a", server), try TestDevice("b", server))
        var generator = SeededGenerator(seed: 2)
        let bytes = generator.bytes(length)
        try a.write("image", bytes)
        try await converge(a, b)
        server.resetCounts()
        try a.write("image", [1] + bytes)
        try await a.sync()
        #expect(server.state.withLock { $0.storedBlocks } <= 2)
        let counter = try await b.syncCounting()
        #expect(a.bytes("image") == b.bytes("image"))
        #expect(counter.blocksFetched <= 2)
    }

    @Test("what lies on the disk already is not fetched: a file put together of others")
    func reuse() async throws {
        let (a, b) = (try TestDevice("a", server), try TestDevice("b", server))
        var generator = SeededGenerator(seed: 4)
        let (first, second) = (generator.bytes(4 << 20), generator.bytes(4 << 20))
        try a.write("first", first)
        try a.write("second", second)
        try await converge(a, b)
        try a.write("both", first + second)
        try await a.sync()
        let counter = try await b.syncCounting()
        #expect(a.tree == b.tree)
        // The seam, and a few blocks until the boundaries fall where they fell in the second file.
        #expect(counter.blocksFetched <= 8)
        #expect(counter.blocksReused > 40)
    }

    @Test("a content above the window's bound goes ahead of its commit, page by page, and arrives whole")
    func windows() async throws {
        let (a, b) = (try TestDevice("a", server), try TestDevice("b", server))
        var generator = SeededGenerator(seed: 6)
        try a.write("image", generator.bytes(length))
        var limits = EngineLimits()
        limits.windowedFrom = 4 << 20
        limits.windowLength = 6 << 20
        limits.batchLength = 1 << 20
        try await a.sync(limits: limits)
        #expect(server.count(.storePages) >= 2)
        #expect(server.count(.storeBlocks) >= 20)
        #expect(server.state.withLock { $0.sentTwice } == 0)
        try await b.sync(limits: limits)
        #expect(a.bytes("image") == b.bytes("image"))
    }

    @Test("a file that changes between plan and upload is read again, and what arrives is whole")
    func changingFile() async throws {
        let (a, b) = (try TestDevice("a", server), try TestDevice("b", server))
        try a.write("other", "other")
        try a.write("log", "one line\n")
        let once = Mutex(true)
        let outcome = try await a.sync(step: { step in
            guard step == .planned,
                once.withLock({ value in
                    defer { value = false }; return value
                })
            else { return }
            try a.write("log", "one line\nand another\n")
        })
        #expect(outcome.dirty.isEmpty)
        #expect(outcome.problems.isEmpty)
        try await b.sync()
        #expect(b.read("log") == "one line\nand another\n")
        #expect(b.read("other") == "other")
    }

    @Test("a file that changes at every look is left waiting, and holds nothing else up")
    func restlessFile() async throws {
        let (a, b) = (try TestDevice("a", server), try TestDevice("b", server))
        try a.write("calm", "calm")
        try a.write("restless", "0")
        let number = Mutex(0)
        let outcome = try await a.sync(step: { step in
            guard step == .planned else { return }
            let next = number.withLock { value in
                value += 1
                return value
            }
            try a.write("restless", String(repeating: "x", count: next))
        })
        #expect(outcome.problems.map(\.path.description) == ["restless"])
        #expect(outcome.problems.first?.code == .unstable)
        try await b.sync()
        #expect(b.read("calm") == "calm")
        try await a.sync()
        try await b.sync()
        #expect(a.tree == b.tree)
    }

    @Test("a block that the server has lost holds up only the file that needs it")
    func lostBlock() async throws {
        let (a, b) = (try TestDevice("a", server), try TestDevice("b", server))
        try a.write("good", "good")
        try a.write("lost", "these bytes get lost")
        try await a.sync()
        let lost = BlockID(SHA256Hasher.digest(of: Array("these bytes get lost".utf8)))
        server.state.withLock { $0.blocks[lost] = nil }
        let outcome = try await b.sync()
        #expect(b.read("good") == "good")
        #expect(!b.exists("lost"))
        #expect(outcome.problems.map(\.path.description) == ["lost"])
        #expect(outcome.problems.first?.code == .blockMissing)
    }
}

extension TestDevice {
    /// Makes one pass, and says what it counted.
    func syncCounting() async throws -> PassCounts {
        let id = try await linkID()
        let context = context()
        _ = try await SyncPass(context: context, link: try database.link(id), options: PassOptions()).run()
        return context.counter.current
    }
}
