import Blocks
import Model
import Synchronization
import TestSupport
import Testing

@testable import SyncClient

@Suite("Downloads that wait for the server's archive")
struct ThawingTests {
    private let server = MemoryServer()

    private func bytes(_ count: Int, _ seed: UInt64) -> [UInt8] {
        var generator = SeededGenerator(seed: seed)
        return generator.bytes(count)
    }

    /// The blocks of a file that a device has sent.
    private func blocks(of bytes: [UInt8]) -> [BlockID] {
        let parts = bytes.withUnsafeBytes { bytes -> [BlockID] in
            var ids: [BlockID] = []
            var position = 0
            let chunker = Chunker()
            while position < bytes.count {
                let rest = UnsafeRawBufferPointer(rebasing: bytes[position...])
                let length = chunker.boundary(in: rest, atEnd: true) ?? rest.count
                ids.append(BlockID(SHA256Hasher.digest(of: UnsafeRawBufferPointer(rebasing: rest[..<length]))))
                position += length
            }
            return ids
        }
        return parts
    }

    private func archive(_ bytes: [UInt8], for wait: Duration = .seconds(14_400)) {
        for block in blocks(of: bytes) { server.state.withLock { $0.archived[block] = wait } }
    }

    @Test("a file that thaws waits, with the time that it takes; the others come, and it comes when it is ready")
    func waits() async throws {
        let (a, b) = (try TestDevice("a", server), try TestDevice("b", server))
        let (cold, hot) = (bytes(3 << 20, 1), bytes(2 << 20, 2))
        try a.write("cold", cold)
        try a.write("hot", hot)
        try a.write("small", "a few bytes")
        try await a.sync()
        archive(cold)
        let outcome = try await b.sync()
        #expect(b.bytes("hot") == hot)
        #expect(b.read("small") == "a few bytes")
        #expect(!b.exists("cold"))
        let problem = try #require(outcome.problems.first)
        #expect(outcome.problems.count == 1)
        #expect(problem.code == .thawing)
        #expect(problem.path == LocalPath(bytes: Array("cold".utf8)))
        #expect(problem.message == "in the server's archive: thawing, ready in about 4 h")
        #expect(outcome.retryAfter == .seconds(14_400))
        #expect(outcome.dirty.isEmpty, "it is not tried again before")
        let again = try await b.sync(
            PassOptions(scope: .folders([]), fetches: false, verifiesHistory: false, recovers: false))
        #expect(again.problems.map(\.code) == [.thawing])
        server.state.withLock { $0.archived = [:] }
        let last = try await b.sync(
            PassOptions(scope: .folders([]), fetches: false, verifiesHistory: false, recovers: false))
        #expect(last.problems.isEmpty && last.retryAfter == nil)
        #expect(b.bytes("cold") == cold)
    }

    @Test("what can be told apart costs one question, not one for each block")
    func questions() async throws {
        let (a, b) = (try TestDevice("a", server), try TestDevice("b", server))
        let cold = (0..<20).map { bytes(20_000, 10 + UInt64($0)) }
        for (index, bytes) in cold.enumerated() {
            try a.write("cold\(index)", bytes)
            try a.write("hot\(index)", "hot \(index)")
        }
        try await a.sync()
        for (index, bytes) in cold.enumerated() { archive(bytes, for: .seconds(Int64(60 * (index + 1)))) }
        server.resetCounts()
        let outcome = try await b.sync()
        #expect(outcome.problems.count == 20)
        #expect((0..<20).allSatisfy { b.read("hot\($0)") == "hot \($0)" })
        // Each round of the pass asks, and then for what is left.
        #expect(server.count(.fetchBlocks) <= 6)
        #expect(server.count(.missing) <= 3)
    }

    @Test("a file of which a part thaws keeps what has come of it")
    func parts() async throws {
        let (a, b) = (try TestDevice("a", server), try TestDevice("b", server))
        let file = bytes(6 << 20, 3)
        try a.write("file", file)
        try await a.sync()
        let last = try #require(blocks(of: file).last)
        server.state.withLock { $0.archived[last] = .seconds(60) }
        #expect(try await b.sync().problems.map(\.code) == [.thawing])
        server.state.withLock { $0.archived = [:] }
        let counter = try await b.syncCounting()
        #expect(b.bytes("file") == file)
        #expect(counter.blocksFetched <= 2)
    }

    @Test("of two times of one file the later one is told")
    func later() {
        let files = ThawingFiles()
        let node = NodeID(high: 1, low: 1)
        for seconds in [60, 7200, 600] as [Int64] {
            files.note([node], ClientError(.thawing, "").retrying(after: .seconds(seconds)))
        }
        #expect(files.error(of: node)?.retryAfter == .seconds(7200))
        #expect(files.error(of: NodeID(high: 1, low: 2)) == nil)
    }
}
