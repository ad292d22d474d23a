import Foundation
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

    private func paths(_ outcome: PassOutcome) -> [String] {
        outcome.problems.map { String(decoding: $0.path.bytes, as: UTF8.self) }.sorted()
    }

    private func folder(_ device: TestDevice, _ name: String) throws {
        try FileManager.default.createDirectory(atPath: device.path(name), withIntermediateDirectories: false)
    }

    private var names: [String] {
        server.state.withLock { $0.journal.tree.values.map(\.name.description) }.sorted()
    }

    @Test("renames, modes and copies of what the server has go through; what brings bytes says why it waits")
    func needsNoRoom() async throws {
        let a = try TestDevice("a", server)
        for name in ["one", "two", "three", "four"] { try a.write(name, "the text of \(name)") }
        try await a.sync(limits: limits)
        try a.remove("four")
        try await a.sync(limits: limits)
        fill()
        try a.move("one", "uno")
        try #require(chmod(a.path("two"), 0o755) == 0)
        try a.write("drei", "the text of three")
        try a.write("four", "the text of four")
        try folder(a, "folder")
        for name in ["new1", "new2", "folder/new3"] { try a.write(name, "the text of \(name)") }
        let outcome = try await a.sync(limits: limits)
        #expect(paths(outcome) == ["folder/new3", "new1", "new2"])
        #expect(outcome.problems.allSatisfy { $0.code == .overQuota && $0.message.contains("10.0 MiB of 10.0 MiB") })
        #expect(names == ["drei", "folder", "four", "three", "two", "uno"])
        let modes = server.state.withLock { $0.journal.tree.values.filter { $0.name.description == "two" }.map(\.mode) }
        #expect(modes == [0o755])
        #expect(server.state.withLock { $0.pending.isEmpty })
        server.setFault(nil)
        #expect(try await a.sync(limits: limits).problems.isEmpty)
        #expect(names == ["drei", "folder", "four", "new1", "new2", "new3", "three", "two", "uno"])
    }

    @Test("every file that waits says why, also those that no commit was tried for")
    func allNamed() async throws {
        let a = try TestDevice("a", server)
        try a.write("first", "1")
        try await a.sync(limits: limits)
        fill()
        for number in 10..<40 { try a.write("file \(number)", "text \(number)") }
        try a.move("first", "last")
        var small = limits
        small.changesInCommit = 4
        server.resetCounts()
        let outcome = try await a.sync(limits: small)
        #expect(paths(outcome) == (10..<40).map { "file \($0)" })
        #expect(names == ["last"])
        #expect(server.count(.submit) <= 3)
        #expect(server.count(.missing) == 1)
        let again = try await a.sync(limits: small)
        #expect(paths(again) == (10..<40).map { "file \($0)" })
    }

    @Test("what needs no room but the place of what waits, waits too, and holds up nothing else")
    func resting() async throws {
        let a = try TestDevice("a", server)
        for name in ["a", "known", "other"] { try a.write(name, "the text of \(name)") }
        try await a.sync(limits: limits)
        fill()
        // Its bytes are new, so it keeps its old name on the server; the folder can't be there before it has gone.
        try a.move("a", "b")
        try a.write("b", "another text")
        try a.write("a/copy", "the text of known")
        for number in 0..<9 { try folder(a, "folder \(number)") }
        try a.move("other", "else")
        let outcome = try await a.sync(limits: limits)
        #expect(paths(outcome) == ["a", "a/copy", "b"])
        #expect(outcome.problems.allSatisfy { $0.code == .overQuota })
        #expect(names == (["a", "else", "known"] + (0..<9).map { "folder \($0)" }).sorted())
        server.setFault(nil)
        #expect(try await a.sync(limits: limits).problems.isEmpty)
        #expect(names == (["a", "b", "copy", "else", "known"] + (0..<9).map { "folder \($0)" }).sorted())
    }
}
