import Model
import Synchronization
import TestSupport
import Testing
import WireProtocol

@testable import SyncClient

@Suite("When the account is full")
struct FullAccountTests {
    let server = MemoryServer()

    /// From now on the server takes nothing with blocks, as one whose account is full.
    private func fill() {
        server.setFault { call, _, moment in
            guard call == .storeBlocks, moment == .before else { return }
            throw ClientError(.overQuota, "the account is full: it uses 10.0 MiB of 10.0 MiB")
        }
    }

    /// Blocks do not ride along, so that they are what is refused.
    private var limits: EngineLimits {
        var limits = EngineLimits()
        limits.inlineLength = 0
        return limits
    }

    @Test("what brings bytes waits and is named with the reason; the rest of the pass goes on")
    func waits() async throws {
        let (a, b) = (try TestDevice("a", server), try TestDevice("b", server))
        try a.write("old", "to be removed")
        try a.write("kept", "stays")
        try await a.sync(limits: limits)
        try await b.sync(limits: limits)
        try b.write("theirs", "from b")
        try await b.sync(limits: limits)
        fill()
        try a.write("new", "does not fit")
        try a.remove("old")
        let outcome = try await a.sync(limits: limits)
        #expect(outcome.problems.map(\.code) == [.overQuota])
        #expect(outcome.problems.map(\.path) == [LocalPath(bytes: Array("new".utf8))])
        #expect(outcome.problems.first?.message.contains("10.0 MiB of 10.0 MiB") == true)
        #expect(a.read("theirs") == "from b", "what others did comes all the same")
        #expect(server.state.withLock { !$0.journal.tree.values.contains { $0.name.description == "old" } })
        #expect(a.read("new") == "does not fit")
    }

    @Test("the server is not asked again and again within a pass, and takes all of it once there is room")
    func later() async throws {
        let a = try TestDevice("a", server)
        try a.write("first", "1")
        try await a.sync(limits: limits)
        fill()
        for number in 0..<30 { try a.write("file \(number)", "text \(number)") }
        server.resetCounts()
        let outcome = try await a.sync(limits: limits)
        #expect(!outcome.problems.isEmpty)
        #expect(server.count(.submit) <= 2)
        #expect(server.state.withLock { $0.pending.isEmpty }, "what was announced is withdrawn")
        server.setFault(nil)
        let second = try await a.sync(limits: limits)
        #expect(second.problems.isEmpty)
        #expect(server.state.withLock { $0.journal.tree.count } == 31)
    }
}
