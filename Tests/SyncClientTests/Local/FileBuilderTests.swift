import Blocks
import CLinux
import Foundation
import Glibc
import Model
import SyncPlanning
import TestSupport
import Testing

@testable import SyncClient

@Suite("Building files and the full disk")
struct FileBuilderTests {
    let world: LocalWorld

    init() throws {
        world = try LocalWorld()
    }

    func state(_ name: String, _ bytes: [UInt8]) throws -> NodeState {
        NodeState(
            parent: .root, name: try NodeName(name), payload: .file(LocalWorld.content(bytes)), mode: 0o644,
            modified: Timestamp(nanoseconds: 1_600_000_000_000_000_000))
    }

    @Test("blocks come in any order, and zeros take no room")
    func sparse() throws {
        let bytes = [UInt8](repeating: 7, count: 5000) + [UInt8](repeating: 0, count: 4 << 20) + [9]
        let applier = try world.applier()
        let state = try state("sparse", bytes)
        let builder = try applier.build(world.node(1), state)
        try bytes.withUnsafeBytes { all in
            for range in [(5000 + 1 << 20)..<bytes.count, 0..<5000, 5000..<(5000 + 1 << 20)] {
                try builder.write(UnsafeRawBufferPointer(rebasing: all[range]), at: UInt64(range.lowerBound))
            }
        }
        let file = try builder.finish()
        let report = try applier.perform(
            [world.action(world.node(1), .placeFile(state))], files: [world.node(1): file])
        #expect(report.problems == [])
        #expect(FileManager.default.contents(atPath: world.path("sparse")).map { [UInt8]($0) } == bytes)
        var status = stat()
        stat(world.path("sparse"), &status)
        #expect(status.st_blocks * 512 < 4 << 20)
    }

    @Test("a file that lacks a block is not finished")
    func incomplete() throws {
        let builder = try world.applier().build(world.node(1), state("a", Array("hello".utf8)))
        try Array("hel".utf8).withUnsafeBytes { try builder.write($0, at: 0) }
        let error = #expect(throws: ClientError.self) { try builder.finish() }
        #expect(error?.code == .blockMissing)
    }

    @Test("a half-built file is gone on with after a kill, block by block verified")
    func resumes() throws {
        var generator = SeededGenerator(seed: 3)
        let blocks = (0..<4).map { _ in generator.bytes(40_000) }
        let bytes = blocks.flatMap { $0 }
        let state = try state("big", bytes)
        let first = try world.applier().build(world.node(1), state)
        try blocks[0].withUnsafeBytes { try first.write($0, at: 0) }
        try blocks[2].withUnsafeBytes { try first.write($0, at: 80_000) }
        // The kill: a new applier finds what is there.
        let applier = try world.applier()
        #expect(try applier.recover().outcomes.isEmpty)
        let second = try applier.build(world.node(1), state)
        #expect(second.isResumed)
        var fetched: [Int] = []
        for (index, block) in blocks.enumerated() {
            let entry = RecipeEntry(block: BlockID(SHA256Hasher.digest(of: block)), length: 40_000)
            if try second.contains(entry, at: UInt64(index) * 40_000) { continue }
            fetched.append(index)
            try block.withUnsafeBytes { try second.write($0, at: UInt64(index) * 40_000) }
        }
        #expect(fetched == [1, 3])
        let file = try second.finish()
        _ = try applier.perform([world.action(world.node(1), .placeFile(state))], files: [world.node(1): file])
        #expect(FileManager.default.contents(atPath: world.path("big")).map { [UInt8]($0) } == bytes)
    }

    @Test("what was built and never placed is removed at the end, with its folder")
    func cleared() throws {
        let applier = try world.applier()
        _ = try world.stage(applier, world.node(1), "a", "never placed")
        let builder = try applier.build(world.node(2), state("b", [1, 2, 3]))
        #expect(world.names(".cairn-staging").count == 2)
        try builder.discard()
        #expect(world.names(".cairn-staging").count == 1)
        try applier.finish()
        #expect(world.names() == [])
    }

    @Test("a full disk is named, nothing is lost, and small files still arrive")
    func full() throws {
        world.makeFolder("disk")
        guard mount("tmpfs", world.path("disk"), "tmpfs", 0, "size=1m") == 0 else {
            print("skipped: this user may not mount")
            return
        }
        defer { umount(world.path("disk")) }
        let small = try LocalWorld(seed: 2, folder: world.path("disk"))
        small.write("mine", String(repeating: "m", count: 500_000))
        try small.sync()
        let applier = try small.applier()
        var generator = SeededGenerator(seed: 5)
        let bytes = generator.bytes(900_000)
        let builder = try applier.build(small.node(1), state("big", bytes))
        let error = #expect(throws: ClientError.self) { try bytes.withUnsafeBytes { try builder.write($0, at: 0) } }
        #expect(error?.code == .diskFull)
        #expect(error?.message.contains("No space left") == true)
        #expect(error?.message.contains(small.root) == true)
        try builder.discard()
        let (file, state) = try small.stage(applier, small.node(2), "little", "fits")
        let report = try applier.perform(
            [small.action(small.node(2), .placeFile(state))], files: [small.node(2): file])
        #expect(report.problems == [])
        try applier.finish()
        #expect(small.names() == ["little", "mine"])
        #expect(small.read("mine")?.count == 500_000)
    }

    @Test("a disk that can't be written is named, and nothing is taken for removed")
    func readOnly() throws {
        world.makeFolder("disk")
        guard mount("tmpfs", world.path("disk"), "tmpfs", 0, "size=1m") == 0 else {
            print("skipped: this user may not mount")
            return
        }
        defer { umount(world.path("disk")) }
        let other = try LocalWorld(seed: 2, folder: world.path("disk"))
        other.write("mine", "bytes")
        try other.sync()
        mount("tmpfs", world.path("disk"), "tmpfs", UInt(MS_REMOUNT | MS_RDONLY), "size=1m")
        let node = try #require(try other.node("mine"))
        let applier = try other.applier()
        let error = #expect(throws: ClientError.self) { try applier.build(other.node(1), state("a", [1])) }
        #expect(error?.code == .readOnly)
        let report = try applier.perform([
            other.action(node, .setAttributes(mode: 0o600, modified: Timestamp(nanoseconds: 1))),
            other.action(node, .remove),
        ])
        #expect(report.problems.map(\.code) == [.readOnly])
        #expect(report.outcomes.last == .skipped)
        #expect(try other.scan().changes == 0)
    }

    @Test("a name that the file system does not take is a problem of that file alone")
    func longName() throws {
        // No file system of Linux takes 256 bytes; ecryptfs takes 143, FAT fewer characters: the path names it.
        let handle = try world.opened.handle
        let error = #expect(throws: ClientError.self) {
            try handle.makeFolder([UInt8](repeating: 0x61, count: 256), permissions: 0o700)
        }
        #expect(error?.code == .nameTooLong)
        #expect(error?.message.contains("aaaa") == true)
    }

    @Test("files on a mount within the folder are placed, replaced and removed there")
    func otherMount() throws {
        world.makeFolder("disk")
        guard mount("tmpfs", world.path("disk"), "tmpfs", 0, "size=1m") == 0 else {
            print("skipped: this user may not mount")
            return
        }
        defer { umount(world.path("disk")) }
        world.write("disk/old", "old")
        world.write("disk/gone", "gone")
        try world.sync()
        let folder = try #require(try world.node("disk"))
        let (old, gone) = (try #require(try world.node("disk/old")), try #require(try world.node("disk/gone")))
        let applier = try world.applier()
        let (first, firstState) = try world.stage(applier, world.node(1), "new", "new", parent: folder)
        let (second, secondState) = try world.stage(applier, old, "old", "newer", parent: folder)
        let report = try applier.perform(
            [
                world.action(world.node(1), .placeFile(firstState)), world.action(old, .placeFile(secondState)),
                world.action(gone, .remove),
            ], files: [world.node(1): first, old: second])
        #expect(report.problems == [])
        try applier.finish()
        #expect(world.names() == ["disk"])
        #expect(world.names("disk") == ["new", "old"])
        #expect(world.read("disk/old") == "newer")
        #expect(try world.scan().changes == 0)
    }

    @Test("a file or link that moves to another mount is copied whole, then removed; a folder stays where it is")
    func movesAcross() throws {
        world.makeFolder("disk")
        guard mount("tmpfs", world.path("disk"), "tmpfs", 0, "size=1m") == 0 else {
            print("skipped: this user may not mount")
            return
        }
        defer { umount(world.path("disk")) }
        world.write("file", Array("bytes".utf8), mode: 0o440, modified: 1_500_000_000_000_000_000)
        symlink("target", world.path("link"))
        world.makeFolder("folder")
        world.write("full", String(repeating: "f", count: 2_000_000))
        try world.sync()
        let ids = try ["file", "link", "folder", "full"].map { try #require(try world.node($0)) }
        let disk = try #require(try world.node("disk"))
        let applier = try world.applier()
        let report = try applier.perform(
            zip(ids, ["a", "b", "c", "d"]).map { node, name in
                try world.action(node, .move(to: Placement(parent: disk, name: try NodeName(name))))
            })
        #expect(report.problems.map(\.code) == [.io, .diskFull])
        #expect(report.problems.first?.message.contains("folder") == true)
        try applier.finish()
        #expect(world.names() == ["disk", "folder", "full"])
        #expect(world.names("disk") == ["a", "b"])
        let entry = try tree(world.root)[LocalPath(bytes: Array("disk/a".utf8))]
        #expect(entry?.mode == 0o440 && entry?.modified == 1_500_000_000_000_000_000)
        #expect(try world.node("disk/a") == ids[0])
        #expect(try world.scan().changes == 0)
    }
}
