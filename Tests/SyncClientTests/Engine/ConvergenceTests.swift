import Glibc
import Model
import SyncPlanning
import Synchronization
import TestSupport
import Testing

@testable import SyncClient

@Suite("Devices in sync")
struct ConvergenceTests {
    let server = MemoryServer()

    @Test("what one device has, the other gets: files, folders, links, modes and empty files")
    func firstSync() async throws {
        let (a, b) = (try TestDevice("a", server), try TestDevice("b", server))
        try a.write("docs/letter.txt", "dear all")
        try a.write("empty", "")
        try a.write("run.sh", "#!/bin/sh\n")
        chmod(a.path("run.sh"), 0o755)
        symlink("docs/letter.txt", a.path("link"))
        try await a.sync()
        let outcome = try await b.sync()
        #expect(a.tree == b.tree)
        #expect(outcome.problems.isEmpty)
        #expect(b.read("docs/letter.txt") == "dear all")
        var status = stat()
        #expect(lstat(b.path("run.sh"), &status) == 0 && status.st_mode & 0o777 == 0o755)
        #expect(lstat(b.path("link"), &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
    }

    @Test("edits, renames and removals go both ways")
    func changes() async throws {
        let (a, b) = (try TestDevice("a", server), try TestDevice("b", server))
        for name in ["one", "two", "dir/three", "dir/four"] { try a.write(name, name) }
        try await converge(a, b)
        try a.write("one", "one, edited")
        try a.move("dir", "folder")
        try b.remove("two")
        try b.write("new", "new")
        try await converge(a, b)
        #expect(a.tree == b.tree)
        #expect(a.tree.keys.sorted() == ["folder", "folder/four", "folder/three", "new", "one"])
        #expect(b.read("one") == "one, edited")
    }

    @Test("when two devices change one file, both versions stay on both")
    func conflict() async throws {
        let (a, b) = (try TestDevice("a", server), try TestDevice("b", server))
        try a.write("paper.txt", "first")
        try await converge(a, b)
        try a.write("paper.txt", "by a, longer")
        try b.write("paper.txt", "by b")
        try await a.sync()
        let outcome = try await b.sync()
        try await converge(a, b)
        #expect(a.tree == b.tree)
        #expect(Set(a.tree.values) == [Array("by a, longer".utf8), Array("by b".utf8)])
        #expect(outcome.conflicts.count == 1)
        #expect(a.tree.keys.contains { $0.contains("conflicted copy b") })
    }

    @Test("two folders with files, linked at the same time, are merged and nothing is deleted")
    func merge() async throws {
        let (a, b) = (try TestDevice("a", server), try TestDevice("b", server))
        try a.write("shared/same", "same bytes")
        try b.write("shared/same", "same bytes")
        try a.write("shared/other", "of a")
        try b.write("shared/other", "of b")
        try a.write("only a", "a")
        try b.write("only b", "b")
        try await converge(a, b)
        #expect(a.tree == b.tree)
        #expect(a.tree.count == 6)
        #expect(Set(a.tree.values).isSuperset(of: ["of a", "of b", "a", "b", "same bytes"].map { Array($0.utf8) }))
    }

    @Test("the rename of a folder is one change and sends no block")
    func renamedFolder() async throws {
        let (a, b) = (try TestDevice("a", server), try TestDevice("b", server))
        for number in 0..<50 { try a.write("folder/file \(number)", "content \(number)") }
        try await converge(a, b)
        server.resetCounts()
        try a.move("folder", "renamed")
        try await a.sync()
        #expect(server.state.withLock { $0.journal.changeCounts.last } == 1)
        #expect(server.state.withLock { $0.storedBlocks } == 0)
        try await b.sync()
        #expect(a.tree == b.tree)
        #expect(server.count(.fetchBlocks) == 0)
    }

    @Test("two thousand small files take a handful of requests each way")
    func smallFiles() async throws {
        let (a, b) = (try TestDevice("a", server), try TestDevice("b", server))
        for number in 0..<2000 { try a.write("dir \(number % 20)/file \(number)", "number \(number)") }
        try await a.sync()
        #expect(server.totalCalls <= 6)
        server.resetCounts()
        try await b.sync()
        #expect(a.tree == b.tree)
        #expect(server.totalCalls <= 24)
        server.resetCounts()
        try await a.sync()
        #expect(server.totalCalls <= 2)
        #expect(server.count(.submit) == 0)
    }

    @Test("a copy of a file that is in sync sends no block")
    func copies() async throws {
        let (a, b) = (try TestDevice("a", server), try TestDevice("b", server))
        var generator = SeededGenerator(seed: 3)
        try a.write("original", generator.bytes(900_000))
        try await converge(a, b)
        server.resetCounts()
        try a.write("copy", try #require(a.bytes("original")))
        try await a.sync()
        #expect(server.state.withLock { $0.storedBlocks } == 0)
        #expect(server.count(.storeBlocks) == 0)
        try await b.sync()
        #expect(a.tree == b.tree)
        #expect(server.count(.fetchBlocks) == 0)
    }

    @Test("three devices that change the same few names at random come to one tree", arguments: 1...6)
    func random(seed: UInt64) async throws {
        let devices = try ["a", "b", "c"].map { try TestDevice($0, server) }
        var generator = SeededGenerator(seed: seed)
        for round in 0..<12 {
            let device = devices.randomElement(using: &generator)!
            for _ in 0..<Int.random(in: 1...4, using: &generator) { try change(device, round, &generator) }
            if Bool.random(using: &generator) { try await device.sync() }
        }
        try await converge(devices[0], devices[1], devices[2])
        #expect(devices[0].tree == devices[1].tree)
        #expect(devices[1].tree == devices[2].tree)
    }

    private func change(_ device: TestDevice, _ round: Int, _ generator: inout SeededGenerator) throws {
        let names = ["f1", "f2", "d1/f1", "d1/f2", "d2/f1", "d1/d3/f1"]
        let name = names.randomElement(using: &generator)!
        let other = names.randomElement(using: &generator)!
        switch Int.random(in: 0..<6, using: &generator) {
        case 0...2: try device.write(name, "\(device.name) \(round) \(generator.next())")
        case 3: if device.exists(name) { try device.remove(name) }
        case 4:
            if device.exists(name), !device.exists(other), device.exists(String(other.prefix { $0 != "/" })) {
                try? device.move(name, other)
            }
        default: if device.exists("d1"), !device.exists("d4") { try device.move("d1", "d4") }
        }
    }
}
