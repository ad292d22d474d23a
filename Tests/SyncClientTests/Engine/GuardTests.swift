import Foundation
import Glibc
import Model
import Synchronization
import TestSupport
import Testing
import WireProtocol

@testable import SyncClient

@Suite("What stops a pass")
struct GuardTests {
    let server = MemoryServer()

    @Test("a server that was restored from an older copy is noticed, and nothing is deleted")
    func restoredServer() async throws {
        let a = try TestDevice("a", server)
        try a.write("first", "1")
        try await a.sync()
        try a.write("second", "2")
        try await a.sync()
        server.state.withLock { $0.journal.restore(to: Revision(1)) }
        #expect(await failure { try await a.sync() } == .serverRestored)
        #expect(a.tree.count == 2)
        #expect(server.head.revision == Revision(1))
    }

    @Test("a restored server that has gone on to the same revision is noticed by its hash")
    func forkedServer() async throws {
        let (a, b) = (try TestDevice("a", server), try TestDevice("b", server))
        try a.write("first", "1")
        try await a.sync()
        try a.write("second", "2")
        try await a.sync()
        server.state.withLock { $0.journal.restore(to: Revision(1)) }
        for name in ["other", "third", "fourth"] {
            try b.write(name, name)
            try await b.sync()
        }
        #expect(server.head.revision > Revision(2))
        #expect(await failure { try await a.sync() } == .serverRestored)
        #expect(a.tree.count == 2)
    }

    @Test("a folder that lost most of its files is not taken for cleaned up, until that is confirmed")
    func massDeletion() async throws {
        let a = try TestDevice("a", server)
        for number in 0..<1100 { try a.write("many/file \(number)", "x") }
        try a.write("kept", "x")
        try await a.sync()
        try a.remove("many")
        #expect(await failure { try await a.sync() } == .massDeletion)
        #expect(server.state.withLock { $0.journal.tree.count } == 1102)
        try await a.sync(PassOptions(confirmsDeletions: true))
        #expect(server.state.withLock { $0.journal.tree.count } == 1)
    }

    @Test("many files that another device removed are removed here without a question")
    func remoteMassDeletion() async throws {
        let (a, b) = (try TestDevice("a", server), try TestDevice("b", server))
        for number in 0..<1100 { try a.write("many/file \(number)", "x") }
        try await converge(a, b)
        try a.remove("many")
        try await a.sync(PassOptions(confirmsDeletions: true))
        try await b.sync()
        #expect(b.tree.isEmpty)
        try await b.sync()
    }

    @Test("another folder at the place of the linked one stops the pass")
    func replacedFolder() async throws {
        let a = try TestDevice("a", server)
        try a.write("file", "x")
        try await a.sync()
        try FileManager.default.moveItem(atPath: a.folder.path, toPath: a.folder.path + "-away")
        defer { try? FileManager.default.removeItem(atPath: a.folder.path + "-away") }
        #expect(await failure { try await a.sync() } == .folderReplaced)
        try FileManager.default.createDirectory(atPath: a.folder.path, withIntermediateDirectories: false)
        #expect(await failure { try await a.sync() } == .folderReplaced)
        #expect(server.state.withLock { $0.journal.tree.count } == 1)
    }

    @Test("a pipe is left out, and holds nothing up")
    func pipe() async throws {
        let a = try TestDevice("a", server)
        try a.write("open", "x")
        mkfifo(a.path("pipe"), 0o644)
        let outcome = try await a.sync()
        #expect(outcome.problems.isEmpty)
        #expect(server.state.withLock { $0.journal.tree.count } == 1)
    }

    @Test("a refused commit is fetched, planned and sent anew; never forced")
    func refusal() async throws {
        let (a, b) = (try TestDevice("a", server), try TestDevice("b", server))
        try a.write("file", "base")
        try await converge(a, b)
        try b.write("file", "by b, unseen")
        // B commits while A is about to.
        let once = Mutex(true)
        try a.write("file", "by a")
        let server = server
        let pushed = Mutex<Bool>(false)
        server.setFault { call, _, moment in
            guard call == .submit, moment == .before,
                once.withLock({ value in
                    defer { value = false }; return value
                })
            else { return }
            pushed.withLock { $0 = true }
            server.state.withLock { state in
                let node = state.journal.tree.keys.first!
                var new = state.journal.tree[node]!
                new.mode = 0o600
                _ = state.journal.commit(
                    .init(
                        upload: UploadID(high: 1, low: 1), changes: [.init(node: node, base: Revision(1), state: new)]))
            }
        }
        try await a.sync()
        server.setFault(nil)
        #expect(pushed.withLock { $0 })
        #expect(server.head.revision == Revision(3))
        let state = server.state.withLock { $0.journal.tree.values.first }
        #expect(state?.mode == 0o600)
        #expect(a.read("file") == "by a")
        try await converge(b, a)
        #expect(a.tree == b.tree)
        #expect(Set(a.tree.values).count == 2)
    }

    @Test("one process at a time works on a link; the lock goes with the process")
    func lock() throws {
        let home = TemporaryDirectory()
        let path = home.appending("lock")
        var lock: LinkLock? = try LinkLock(path, folder: "/folder")
        #expect(LinkLock.isHeld(path))
        #expect(throws: ClientError.self) { try LinkLock(path, folder: "/folder") }
        withExtendedLifetime(lock) {}
        lock = nil
        #expect(!LinkLock.isHeld(path))
        _ = try LinkLock(path, folder: "/folder")
    }
}
