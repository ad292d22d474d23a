import CLinux
import Foundation
import Glibc
import Model
import TestSupport
import Testing

@testable import SyncClient

@Suite("Watching the linked folder", .timeLimit(.minutes(1)))
struct WatcherTests {
    let world: LocalWorld

    init() throws {
        world = try LocalWorld()
    }

    func path(_ text: String) -> LocalPath { LocalPath(bytes: Array(text.utf8)) }

    /// Takes batches until all of these folders have come.
    func wait(
        _ batches: inout Watcher.AsyncIterator, for folders: Set<LocalPath>
    ) async throws {
        var missing = folders
        while !missing.isEmpty {
            let batch = try #require(await batches.next())
            missing.subtract(batch.isEverything ? missing : batch.folders)
        }
    }

    @Test("the first batch says everything; then changes come by their folders")
    func changes() async throws {
        world.makeFolder("a")
        world.makeFolder("a/b")
        let watcher = try Watcher(world.opened)
        defer { watcher.stop() }
        var batches = watcher.makeAsyncIterator()
        #expect(await batches.next() == WatchBatch(isEverything: true))
        world.write("a/b/file", "one")
        #expect(await batches.next()?.scope == .folders([path("a/b")]))
        chmod(world.path("a/b/file"), 0o600)
        #expect(await batches.next()?.scope == .folders([path("a/b")]))
        world.remove("a/b/file")
        #expect(await batches.next()?.scope == .folders([path("a/b")]))
    }

    @Test("new folders are watched, however quickly things are made in them")
    func newFolders() async throws {
        let watcher = try Watcher(world.opened)
        defer { watcher.stop() }
        var batches = watcher.makeAsyncIterator()
        _ = await batches.next()
        for index in 0..<20 {
            world.makeFolder("f\(index)")
            world.makeFolder("f\(index)/deep")
            world.write("f\(index)/deep/file", "one")
        }
        try await wait(&batches, for: [.root])
        try world.sync()
        #expect(try world.node("f19/deep/file") != nil)
        for index in 0..<20 { world.write("f\(index)/deep/file", "two") }
        try await wait(&batches, for: Set((0..<20).map { path("f\($0)/deep") }))
    }

    @Test("a moved folder is watched where it is; one that left is not")
    func moved() async throws {
        world.makeFolder("a")
        world.makeFolder("a/deep")
        world.makeFolder("other")
        let watcher = try Watcher(world.opened)
        defer { watcher.stop() }
        var batches = watcher.makeAsyncIterator()
        _ = await batches.next()
        world.move("a", "other/z")
        try await wait(&batches, for: [.root, path("other")])
        world.write("other/z/deep/file", "one")
        try await wait(&batches, for: [path("other/z/deep")])
        let outside = world.directory.appending("outside")
        rename(world.path("other/z"), outside)
        try await wait(&batches, for: [path("other")])
        _ = FileManager.default.createFile(atPath: outside + "/deep/unwatched", contents: nil)
        world.write("marker", "last")
        #expect(await batches.next()?.scope == .folders([.root]))
    }

    @Test("the staging folder is not watched")
    func staging() async throws {
        world.makeFolder("sub")
        let watcher = try Watcher(world.opened)
        defer { watcher.stop() }
        var batches = watcher.makeAsyncIterator()
        _ = await batches.next()
        let applier = try world.applier()
        _ = try world.stage(applier, world.node(1), "a", "bytes")
        try applier.finish()
        world.write("sub/file", "one")
        var seen: Set<LocalPath> = []
        while !seen.contains(path("sub")) { seen.formUnion(try #require(await batches.next()).folders) }
        #expect(seen == [path("sub")])
    }

    @Test("a stopped watcher ends the sequence")
    func stops() async throws {
        let watcher = try Watcher(world.opened)
        var batches = watcher.makeAsyncIterator()
        _ = await batches.next()
        watcher.stop()
        watcher.stop()
        #expect(await batches.next() == nil)
    }

    @Test("scans of what was said to be dirty find all that a full scan would", arguments: 60...65)
    func complete(seed: UInt64) async throws {
        let world = try LocalWorld(seed: seed)
        var random = RandomTree(world, seed: seed)
        world.makeFolder("marker")
        try random.act(30)
        try world.sync()
        let watcher = try Watcher(world.opened)
        defer { watcher.stop() }
        var batches = watcher.makeAsyncIterator()
        _ = await batches.next()
        for round in 0..<4 {
            try random.act(12)
            // Events come in order: when the new folder is told of, all are there. The folder around it may be told of later
            // once more.
            world.makeFolder("marker/\(round)")
            var batch = WatchBatch()
            while !batch.folders.contains(path("marker/\(round)")) { batch.merge(try #require(await batches.next())) }
            var report = try world.scan(batch.scope)
            while !report.unsettled.isEmpty { report = try world.scan(.folders(report.unsettled)) }
            try world.readChanged()
            try world.commit()
            try world.scan()
            try world.readChanged()
            let missed = try world.overlay
            #expect(missed.isEmpty, "seed \(seed), round \(round), looked at \(batch)")
        }
    }
}
