import Model
import Synchronization
import TestSupport
import Testing
import WireProtocol

@testable import SyncClient

@Suite("A killed pass")
struct RecoveryTests {
    /// Small bounds: a few hundred kilobytes take every way that gigabytes take.
    private var small: EngineLimits {
        EngineLimits(
            inlineLength: 40_000, windowedFrom: 600_000, windowLength: 300_000, batchLength: 200_000, requests: 2,
            changesInCommit: 5, newInPlan: 8, stepsInPortion: 3)
    }

    private func prepare(_ device: TestDevice) throws {
        var generator = SeededGenerator(seed: 11)
        for number in 0..<9 { try device.write("dir/file \(number)", "number \(number)") }
        try device.write("medium", generator.bytes(300_000))
        try device.write("large", generator.bytes(1_500_000))
    }

    /// Throws at the n-th step.
    private func killer(at kill: Int) -> (hook: @Sendable (EngineStep) throws -> Void, count: CountBox) {
        let count = CountBox()
        return ({ _ in if count.next() == kill { throw PassKilled() } }, count)
    }

    final class CountBox: Sendable {
        private let value = Mutex(0)
        func next() -> Int {
            value.withLock { value in
                defer { value += 1 }
                return value
            }
        }
        var total: Int { value.withLock { $0 } }
    }

    @Test("an upload killed at any step goes on, and nothing is there twice")
    func upload() async throws {
        var kill = 0
        while true {
            let server = MemoryServer()
            let (a, b) = (try TestDevice("a", server), try TestDevice("b", server))
            try prepare(a)
            let (hook, _) = killer(at: kill)
            do {
                try await a.sync(limits: small, step: hook)
                break
            } catch is PassKilled {}
            try a.restart()
            try await a.sync(limits: small)
            try await b.sync()
            #expect(a.tree == b.tree, "killed at step \(kill)")
            #expect(a.tree.count == 12, "killed at step \(kill)")
            #expect(server.state.withLock { $0.journal.tree.count } == 12, "killed at step \(kill)")
            kill += 1
        }
        #expect(kill > 15)
    }

    @Test("a download killed at any step goes on, and leaves no trace")
    func download() async throws {
        let server = MemoryServer()
        let a = try TestDevice("a", server)
        try prepare(a)
        try await a.sync()
        var kill = 0
        while true {
            let b = try TestDevice("b", server)
            let (hook, _) = killer(at: kill)
            do {
                try await b.sync(limits: small, step: hook)
                break
            } catch is PassKilled {}
            try b.restart()
            try await b.sync(limits: small)
            #expect(a.tree == b.tree, "killed at step \(kill)")
            kill += 1
        }
        #expect(kill > 8)
        #expect(server.head.revision == Revision(1))
    }

    @Test("edits, moves and conflicts killed at any step lose nothing")
    func mixed() async throws {
        var kill = 0
        while true {
            let server = MemoryServer()
            let (a, b) = (try TestDevice("a", server), try TestDevice("b", server))
            try prepare(a)
            try await converge(a, b)
            try a.write("dir/file 1", "by a")
            try b.write("dir/file 1", "by b, too")
            try a.move("dir/file 2", "moved")
            try b.move("dir", "folder")
            try a.remove("dir/file 3")
            try b.write("dir2/new", "new")
            try await a.sync()
            let (hook, _) = killer(at: kill)
            do {
                try await b.sync(limits: small, step: hook)
                break
            } catch is PassKilled {}
            try b.restart()
            try await converge(b, a)
            #expect(a.tree == b.tree, "killed at step \(kill)")
            let contents = Set(a.tree.values)
            for text in ["by a", "by b, too", "number 2", "new", "number 8"] {
                #expect(contents.contains(Array(text.utf8)), "killed at step \(kill): \(text)")
            }
            #expect(!contents.contains(Array("number 3".utf8)), "killed at step \(kill)")
            kill += 1
        }
        #expect(kill > 8)
    }

    @Test("a fault at any call, before it is done or with its answer lost, is made good by the next pass")
    func faults() async throws {
        for moment in [MemoryServer.Moment.before, .after] {
            var number = 1
            while true {
                let server = MemoryServer()
                let (a, b) = (try TestDevice("a", server), try TestDevice("b", server))
                try prepare(a)
                _ = try await a.linkID()
                let failing = number
                server.setFault { _, call, when in
                    if call == failing, when == moment { throw ClientError(.unreachable, "the line is cut") }
                }
                do {
                    try await a.sync(limits: small)
                    break
                } catch let error as ClientError where error.code == .unreachable {}
                server.setFault(nil)
                try a.restart()
                try await a.sync(limits: small)
                try await b.sync()
                #expect(a.tree == b.tree, "call \(number)")
                #expect(server.state.withLock { $0.journal.tree.count } == 12, "call \(number)")
                number += 1
            }
            #expect(number > 8)
        }
    }

    @Test("blocks that were durable when the upload was killed are not sent again")
    func durableBlocks() async throws {
        let server = MemoryServer()
        let a = try TestDevice("a", server)
        var generator = SeededGenerator(seed: 5)
        try a.write("large", generator.bytes(3_000_000))
        let sent = CountBox()
        await #expect(throws: PassKilled.self) {
            try await a.sync(limits: small, step: { if $0 == .blocksSent, sent.next() == 6 { throw PassKilled() } })
        }
        let before = server.state.withLock { $0.blocks.count }
        #expect(before > 0)
        try a.restart()
        server.resetCounts()
        try await a.sync(limits: small)
        let total = server.state.withLock { $0.blocks.count }
        #expect(server.state.withLock { $0.storedBlocks } == total - before)
        #expect(server.state.withLock { $0.sentTwice } == 0)
    }

    @Test("an upload whose answer was lost is asked after, and not committed a second time")
    func lostAnswer() async throws {
        let server = MemoryServer()
        let a = try TestDevice("a", server)
        try a.write("file", "text")
        _ = try await a.linkID()
        server.setFault { call, _, moment in
            if call == .submit, moment == .after { throw ClientError(.unreachable, "the line is cut") }
        }
        await #expect(throws: ClientError.self) { try await a.sync() }
        server.setFault(nil)
        try a.write("file", "text, edited since")
        try a.restart()
        try await a.sync()
        #expect(server.head.revision == Revision(2))
        #expect(server.state.withLock { $0.journal.tree.count } == 1)
    }

    @Test("what the device wants by now wins over an upload that it abandoned, at whatever step it was killed")
    func abandoned() async throws {
        var kill = 0
        while true {
            let server = MemoryServer()
            let (a, b) = (try TestDevice("a", server), try TestDevice("b", server))
            var generator = SeededGenerator(seed: 3)
            try a.write("before", generator.bytes(300_000))
            let (hook, _) = killer(at: kill)
            do {
                try await a.sync(limits: small, step: hook)
                break
            } catch is PassKilled {}
            try a.move("before", "after")
            try a.restart()
            try await a.sync(limits: small)
            #expect(a.tree.keys.sorted() == ["after"], "killed at step \(kill)")
            try await b.sync()
            try await converge(a, b)
            #expect(a.tree == b.tree && b.tree.keys.sorted() == ["after"], "killed at step \(kill)")
            kill += 1
        }
        #expect(kill > 6)
    }

    @Test("an upload that was cut off is taken back before anything new is sent, and leaves nothing pending")
    func withdrawn() async throws {
        let server = MemoryServer()
        let a = try TestDevice("a", server)
        var generator = SeededGenerator(seed: 4)
        try a.write("file", generator.bytes(300_000))
        await #expect(throws: PassKilled.self) {
            try await a.sync(limits: small, step: { if $0 == .uploadAnnounced { throw PassKilled() } })
        }
        #expect(server.state.withLock { $0.pending.count } == 1)
        try a.remove("file")
        try a.restart()
        try await a.sync(limits: small)
        #expect(server.state.withLock { $0.pending.isEmpty })
        #expect(server.count(.withdraw) == 1)
        let id = try await a.linkID()
        #expect(try a.database.read { try UploadQueries($0).all(of: id) }.isEmpty)
        #expect(server.state.withLock { $0.journal.tree.isEmpty })
    }

    @Test("a running pass takes an upload back when a file of it is written to meanwhile")
    func writtenMeanwhile() async throws {
        let server = MemoryServer()
        let (a, b) = (try TestDevice("a", server), try TestDevice("b", server))
        var generator = SeededGenerator(seed: 6)
        let newer = generator.bytes(250_000)
        try a.write("file", generator.bytes(300_000))
        let once = CountBox()
        try await a.sync(
            limits: small,
            step: { step in
                if step == .uploadAnnounced, once.next() == 0 { try a.write("file", newer) }
            })
        #expect(server.count(.withdraw) == 1)
        #expect(server.state.withLock { $0.pending.isEmpty })
        try await a.sync()
        try await b.sync()
        #expect(b.bytes("file") == newer)
    }

    @Test("an upload that a newer one has taken the place of is dropped, and its changes are planned anew")
    func superseded() async throws {
        let server = MemoryServer()
        let a = try TestDevice("a", server)
        try a.write("file", "text")
        _ = try await a.linkID()
        let once = CountBox()
        server.setFault { call, _, moment in
            if call == .submit, moment == .before, once.next() == 0 { throw ClientError(.superseded, "replaced") }
        }
        let outcome = try await a.sync()
        #expect(outcome.problems.isEmpty)
        #expect(server.state.withLock { $0.journal.tree.count } == 1)
        let id = try await a.linkID()
        #expect(try a.database.read { try UploadQueries($0).all(of: id) }.isEmpty)
    }

    @Test("what the client itself had put in place before it was killed is no edit of its user")
    func placedIsNoEdit() async throws {
        for step in [EngineStep.stepApplied, .planSettled, .fileStaged] {
            let server = MemoryServer()
            let (a, b) = (try TestDevice("a", server), try TestDevice("b", server))
            try a.write("dir/file", "version 0")
            try a.write("gone", "soon")
            try await converge(a, b)
            try a.write("dir/file", "version 1, longer")
            try a.write("dir/sub/new", "by a")
            try a.remove("gone")
            try await a.sync()
            await #expect(throws: PassKilled.self) {
                try await b.sync(step: { if $0 == step { throw PassKilled() } })
            }
            try a.write("dir/file", "version 2, longer still")
            try a.write("dir/sub/new", "by a, again")
            try await a.sync()
            try b.restart()
            let outcome = try await b.sync()
            #expect(outcome.conflicts.isEmpty, "killed at \(step)")
            try await converge(b, a)
            #expect(a.tree == b.tree)
            #expect(a.tree.keys.sorted() == ["dir", "dir/file", "dir/sub", "dir/sub/new"], "killed at \(step)")
            #expect(b.read("dir/file") == "version 2, longer still")
        }
    }

    @Test("an edit made after the kill is an edit of what the client had put in place")
    func editAfterKill() async throws {
        let server = MemoryServer()
        let (a, b) = (try TestDevice("a", server), try TestDevice("b", server))
        try a.write("file", "version 0")
        try await converge(a, b)
        try a.write("file", "version 1, longer")
        try await a.sync()
        await #expect(throws: PassKilled.self) {
            try await b.sync(step: { if $0 == .stepApplied { throw PassKilled() } })
        }
        try b.write("file", "version 1, longer, and edited by b")
        try b.restart()
        let outcome = try await b.sync()
        #expect(outcome.conflicts.isEmpty)
        try await converge(a, b)
        #expect(a.read("file") == "version 1, longer, and edited by b")
        #expect(a.tree.count == 1)
    }
}
