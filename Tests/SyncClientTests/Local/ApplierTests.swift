import CLinux
import Foundation
import Glibc
import Model
import SyncPlanning
import TestSupport
import Testing

@testable import SyncClient

@Suite("Applying steps on disk")
struct ApplierTests {
    let world: LocalWorld

    init() throws {
        world = try LocalWorld()
    }

    func folder(_ name: String, parent: NodeID = .root, mode: UInt16 = 0o755) throws -> NodeState {
        NodeState(
            parent: parent, name: try NodeName(name), payload: .folder, mode: mode, modified: Timestamp(nanoseconds: 7))
    }

    func link(_ name: String, _ target: String, parent: NodeID = .root) throws -> NodeState {
        NodeState(
            parent: parent, name: try NodeName(name), payload: .symlink(target: Array(target.utf8)), mode: 0o777,
            modified: Timestamp(nanoseconds: 1_400_000_000_000_000_007))
    }

    func placement(_ name: String, _ parent: NodeID = .root) throws -> Placement {
        Placement(parent: parent, name: try NodeName(name))
    }

    /// After all is settled, the scan finds nothing, and no trace of the applier is left.
    func expectQuiet(_ applier: Applier) throws {
        try applier.finish()
        #expect(!world.names().contains(".cairn-staging"))
        #expect(try world.scan().changes == 0)
        #expect(try world.database.read { try LocalQueries($0, link: world.link.id).unread(limit: 9) }.isEmpty)
    }

    @Test("a folder, a file in it and a link are made with mode and time, and a scan finds nothing new")
    func creates() throws {
        let applier = try world.applier()
        let (file, state) = try world.stage(applier, world.node(2), "file", "hello", parent: world.node(1), mode: 0o440)
        let report = try applier.perform(
            [
                world.action(world.node(1), .makeFolder(folder("a", mode: 0o751))),
                world.action(world.node(2), .placeFile(state)),
                world.action(world.node(3), .placeSymlink(link("l", "a/file", parent: world.node(1)))),
            ], files: [world.node(2): file])
        #expect(report.outcomes == [.done, .done, .done])
        #expect(report.failed.isEmpty && report.kept.isEmpty)
        let entries = try tree(world.root).filter { !LinkedFolder.isReserved($0.key.bytes) }
        #expect(
            Dictionary(uniqueKeysWithValues: entries.map { ($0.key.description, $0.value) }) == [
                "a": TreeEntry(kind: "folder", mode: 0o751, bytes: []),
                "a/file": TreeEntry(
                    kind: "file", mode: 0o440, modified: 1_600_000_000_123_456_789, bytes: Array("hello".utf8)),
                "a/l": TreeEntry(
                    kind: "link", mode: 0o777, modified: 1_400_000_000_000_000_007, bytes: Array("a/file".utf8)),
            ])
        try expectQuiet(applier)
        #expect(try world.node("a/file") == world.node(2))
        #expect(try world.overlay.count == 3)
    }

    @Test("a file is replaced whole, by a file and by a link")
    func replaces() throws {
        world.write("a", "old")
        try world.sync()
        let node = try #require(try world.node("a"))
        let applier = try world.applier()
        let (file, state) = try world.stage(applier, node, "a", "new bytes", mode: 0o600)
        #expect(try applier.perform([world.action(node, .placeFile(state))], files: [node: file]).failed.isEmpty)
        #expect(world.read("a") == "new bytes")
        #expect(try applier.perform([world.action(node, .placeSymlink(link("a", "x")))]).failed.isEmpty)
        #expect(try world.opened.handle.target(of: Array("a".utf8)) == Array("x".utf8))
        try expectQuiet(applier)
        #expect(world.names() == ["a"])
    }

    @Test("a place that is filled already is left as it is")
    func occupied() throws {
        world.write("a", "unseen")
        world.makeFolder("b")
        let applier = try world.applier()
        let (file, state) = try world.stage(applier, world.node(1), "a", "from the server")
        let report = try applier.perform(
            [
                world.action(world.node(1), .placeFile(state)),
                world.action(world.node(2), .placeSymlink(link("a", "x"))),
                world.action(world.node(3), .makeFolder(folder("b"))),
                world.action(world.node(4), .makeFolder(folder("c"))),
            ], files: [world.node(1): file])
        #expect(report.problems.map(\.code) == [.alreadyExists, .alreadyExists, .alreadyExists])
        #expect(report.outcomes.last == .done)
        #expect(report.failed == [world.node(1), world.node(2), world.node(3)])
        #expect(world.read("a") == "unseen")
        try applier.finish()
        #expect(world.names() == ["a", "b", "c"])
    }

    @Test("swapped files, swapped folders and a folder moved into another end where they should")
    func moves() throws {
        for folder in ["a", "b"] { world.makeFolder(folder) }
        world.write("a/one", "1")
        world.write("b/two", "2")
        world.write("x", "x")
        world.write("y", "y")
        try world.sync()
        let ids = try ["a", "b", "x", "y"].map { try #require(try world.node($0)) }
        let applier = try world.applier()
        func state(_ node: NodeID, _ name: String, _ parent: NodeID = .root) throws -> LocalNode {
            var state = try #require(try world.record(node)?.state)
            state.placement = try placement(name, parent)
            return .present(state)
        }
        let actions = try [
            world.action(ids[2], .park),
            world.action(ids[3], .move(to: placement("x"))),
            LocalAction(
                node: ids[2], before: .parked(try #require(try world.record(ids[2])?.state)),
                step: .move(to: placement("y"))),
            world.action(ids[1], .move(to: placement("inner", ids[0]))),
            world.action(ids[0], .move(to: placement("b"))),
            LocalAction(node: ids[1], before: state(ids[1], "inner", ids[0]), step: .move(to: placement("a"))),
        ]
        #expect(try applier.perform(actions).problems == [])
        #expect(world.read("x") == "y")
        #expect(world.read("y") == "x")
        #expect(world.read("a/two") == "2")
        #expect(world.read("b/one") == "1")
        try expectQuiet(applier)
        #expect(try world.node("a") == ids[1])
        #expect(try world.node("y") == ids[2])
    }

    @Test("files, links and empty folders are removed; a folder with something in it stays")
    func removes() throws {
        for folder in ["a", "full"] { world.makeFolder(folder) }
        world.write("a/file", "1")
        symlink("x", world.path("link"))
        try world.sync()
        world.write("full/unseen", "2")
        let ids = try ["a/file", "link", "a", "full"].map { try #require(try world.node($0)) }
        let applier = try world.applier()
        let report = try applier.perform(ids.map { try world.action($0, .remove) })
        #expect(report.problems.map(\.code) == [.folderNotEmpty])
        #expect(report.problems.first?.path.description == "full")
        try applier.finish()
        #expect(world.names() == ["full"])
        #expect(world.read("full/unseen") == "2")
        #expect(try world.overlay.filter { $0.value == .removed }.count == 3)
    }

    @Test("mode and time are set, and a scan takes them for what they are")
    func attributes() throws {
        world.write("a", "one")
        world.makeFolder("b")
        try world.sync()
        let (file, folder) = (try #require(try world.node("a")), try #require(try world.node("b")))
        let applier = try world.applier()
        let time = Timestamp(nanoseconds: 1_300_000_000_000_000_009)
        let report = try applier.perform([
            world.action(file, .setAttributes(mode: 0o400, modified: time)),
            world.action(folder, .setAttributes(mode: 0o700, modified: time)),
        ])
        #expect(report.problems == [])
        let entries = try tree(world.root)
        #expect(entries[LocalPath(bytes: Array("a".utf8))]?.mode == 0o400)
        #expect(entries[LocalPath(bytes: Array("a".utf8))]?.modified == time.nanoseconds)
        #expect(entries[LocalPath(bytes: Array("b".utf8))]?.mode == 0o700)
        #expect(try world.record(file)?.state?.modified == time)
        try expectQuiet(applier)
    }

    @Test("what changed since it was seen is left alone, whatever the step")
    func stale() throws {
        for name in ["a", "b", "c", "d"] { world.write(name, "seen \(name)") }
        try world.sync()
        let ids = try ["a", "b", "c", "d"].map { try #require(try world.node($0)) }
        for name in ["a", "b", "c", "d"] { world.write(name, "unseen, longer \(name)") }
        let applier = try world.applier()
        let (file, state) = try world.stage(applier, ids[0], "a", "from the server")
        let report = try applier.perform(
            [
                world.action(ids[0], .placeFile(state)), world.action(ids[1], .remove),
                world.action(ids[2], .move(to: placement("elsewhere"))),
                world.action(ids[3], .setAttributes(mode: 0o600, modified: Timestamp(nanoseconds: 1))),
            ], files: [ids[0]: file])
        #expect(report.problems.map(\.code) == Array(repeating: .changedMeanwhile, count: 4))
        #expect(report.failed == Set(ids))
        for name in ["a", "b", "c", "d"] { #expect(world.read(name) == "unseen, longer \(name)") }
        #expect(try world.sync().count == 4)
    }

    @Test("a step that believes something else than was noted is left out")
    func believed() throws {
        world.write("a", "seen")
        try world.sync()
        let node = try #require(try world.node("a"))
        let applier = try world.applier()
        var other = try #require(try world.record(node)?.state)
        other.mode = 0o111
        for before: LocalNode? in [nil, .removed, .present(other), .parked(other)] {
            let report = try applier.perform([LocalAction(node: node, before: before, step: .remove)])
            #expect(report.problems.map(\.code) == [.changedMeanwhile])
        }
        #expect(world.read("a") == "seen")
    }

    @Test("a failed step takes those on the same node and below it along, and no others")
    func skips() throws {
        world.write("taken", "unseen")
        let applier = try world.applier()
        let report = try applier.perform([
            world.action(world.node(1), .makeFolder(folder("taken"))),
            world.action(world.node(2), .makeFolder(folder("below", parent: world.node(1)))),
            world.action(world.node(3), .makeFolder(folder("deeper", parent: world.node(2)))),
            world.action(world.node(4), .makeFolder(folder("beside"))),
        ])
        #expect(report.outcomes.dropFirst() == [.skipped, .skipped, .done])
        #expect(report.failed == [world.node(1), world.node(2), world.node(3)])
        try applier.finish()
        #expect(world.names() == ["beside", "taken"])
    }

    @Test("a file that someone has open for writing waits, and says so")
    func inUse() throws {
        for name in ["a", "b"] { world.write(name, "seen") }
        try world.sync()
        let ids = try ["a", "b"].map { try #require(try world.node($0)) }
        let writers = ["a", "b"].map { fopen(world.path($0), "r+")! }
        let applier = try world.applier()
        let (file, state) = try world.stage(applier, ids[0], "a", "new")
        let actions = try [world.action(ids[0], .placeFile(state)), world.action(ids[1], .remove)]
        let report = try applier.perform(actions, files: [ids[0]: file])
        #expect(report.problems.map(\.code) == [.inUse, .inUse])
        #expect(report.problems.first?.message.contains("/a'") == true)
        for writer in writers { fclose(writer) }
        #expect(try applier.perform(actions, files: [ids[0]: file]).problems == [])
        #expect(world.read("a") == "new")
    }

    @Test("a symbolic link in the place of a folder leads no step out of the linked folder")
    func swappedFolder() throws {
        world.makeFolder("a")
        world.write("a/file", "inside")
        try world.sync()
        let (folder, file) = (try #require(try world.node("a")), try #require(try world.node("a/file")))
        let outside = world.directory.appending("outside")
        rename(world.path("a"), outside)
        symlink(outside, world.path("a"))
        let applier = try world.applier()
        let (staged, state) = try world.stage(applier, world.node(5), "new", "bytes", parent: folder)
        let report = try applier.perform(
            [
                world.action(file, .remove), world.action(world.node(5), .placeFile(state)),
                world.action(world.node(6), .makeFolder(self.folder("sub", parent: folder))),
            ], files: [world.node(5): staged])
        #expect(report.problems.count == 3)
        #expect(try FileManager.default.contentsOfDirectory(atPath: outside) == ["file"])
    }

    @Test("what belongs into a read-only folder gets there, and the folder is read-only again")
    func readOnlyFolder() throws {
        guard getuid() == 0 else { return }
        chmod(world.directory.path, 0o777)
        chown(world.root, 65534, 65534)
        chown(world.directory.appending("state.db"), 65534, 65534)
        let before = cairn_act_as(65534)
        defer { cairn_act_as(uid_t(before)) }
        world.makeFolder("ro")
        world.write("ro/old", "old")
        world.write("ro/gone", "gone")
        world.write("ro/moved", "moved")
        chmod(world.path("ro"), 0o555)
        try world.sync()
        let folder = try #require(try world.node("ro"))
        let ids = try ["old", "gone", "moved"].map { try #require(try world.node("ro/\($0)")) }
        let applier = try world.applier()
        let (new, newState) = try world.stage(applier, world.node(1), "new", "new", parent: folder)
        let (old, oldState) = try world.stage(applier, ids[0], "old", "newer", parent: folder)
        let report = try applier.perform(
            [
                world.action(world.node(1), .placeFile(newState)), world.action(ids[0], .placeFile(oldState)),
                world.action(ids[1], .remove), world.action(ids[2], .move(to: placement("moved"))),
                world.action(world.node(2), .makeFolder(self.folder("sub", parent: folder, mode: 0o500))),
                world.action(world.node(3), .placeSymlink(link("l", "x", parent: world.node(2)))),
            ], files: [world.node(1): new, ids[0]: old])
        #expect(report.problems == [])
        #expect(world.names("ro") == ["new", "old", "sub"])
        #expect(try tree(world.root)[LocalPath(bytes: Array("ro".utf8))]?.mode == 0o555)
        #expect(try tree(world.root)[LocalPath(bytes: Array("ro/sub".utf8))]?.mode == 0o500)
        #expect(world.read("ro/old") == "newer")
        try expectQuiet(applier)
    }

    @Test("a kill while a read-only folder is open for a moment leaves no mode of the client's", arguments: 1...9)
    func killedWhileOpen(count: Int) throws {
        guard getuid() == 0 else { return }
        chmod(world.directory.path, 0o777)
        for path in [world.root, world.directory.appending("state.db")] { chown(path, 65534, 65534) }
        let before = cairn_act_as(65534)
        defer { cairn_act_as(uid_t(before)) }
        for name in ["ro", "ro2"] { world.makeFolder(name) }
        for name in ["ro/old", "ro/gone", "ro/moved"] { world.write(name, name) }
        for name in ["ro", "ro2"] { chmod(world.path(name), 0o555) }
        try world.sync()
        let folders = try ["ro", "ro2"].map { try #require(try world.node($0)) }
        let ids = try ["old", "gone", "moved"].map { try #require(try world.node("ro/\($0)")) }
        var left = count
        let applier = try world.applier { moment in
            guard moment == .folderOpened else { return }
            left -= 1
            if left == 0 { throw Killed() }
        }
        let (old, oldState) = try world.stage(applier, ids[0], "old", "newer", parent: folders[0])
        let actions = try [
            world.action(ids[0], .placeFile(oldState)), world.action(ids[1], .remove),
            world.action(world.node(2), .makeFolder(self.folder("sub", parent: folders[0], mode: 0o500))),
            world.action(folders[0], .move(to: placement("elsewhere"))),
            world.action(ids[2], .move(to: placement("moved", folders[1]))),
            world.action(world.node(3), .placeSymlink(link("l", "x", parent: folders[0]))),
        ]
        var isKilled = false
        do { _ = try applier.perform(actions, files: [ids[0]: old]) } catch is Killed { isKilled = true }
        let all = ["ro", "ro2", "elsewhere"].filter { world.names().contains($0) }
        func modes() throws -> Set<UInt16?> {
            let entries = try tree(world.root)
            return Set(all.map { entries[LocalPath(bytes: Array($0.utf8))]?.mode })
        }
        #expect(try modes() == (isKilled ? [0o555, 0o755] : [0o555]))
        #expect(isKilled == (count < 8))
        let restarted = try world.applier()
        #expect(try restarted.recover().problems == [])
        #expect(try modes() == [0o555])
        try restarted.finish()
        try world.scan()
        for folder in folders { #expect(try world.record(folder)?.state?.mode == 0o555) }
        #expect(try world.database.read { try OpenedQueries($0, link: world.link.id).all() }.isEmpty)
    }

    @Test("a mode that a user set since the kill stays")
    func modeSetSince() throws {
        world.makeFolder("a", mode: 0o500)
        try world.sync()
        let found = try #require(try world.opened.handle.status(of: Array("a".utf8)))
        let opening = OpenedFolder(found, path: LocalPath(bytes: Array("a".utf8)))
        try world.database.write { try OpenedQueries($0, link: world.link.id).add(opening) }
        chmod(world.path("a"), 0o777)
        _ = try world.applier().recover()
        #expect(try tree(world.root)[opening.path]?.mode == 0o777)
        let sent = try world.sync()
        #expect(sent.values.map(\.state?.mode) == [0o777])
    }

    @Test("a folder that a kill caught between its making and its mode gets the mode")
    func killedBeforeMode() throws {
        let node = world.node(1)
        let applier = try world.applier { if $0 == .afterMakeFolder { throw Killed() } }
        let make = try world.action(node, .makeFolder(folder("a", mode: 0o555)))
        #expect(throws: Killed.self) { try applier.perform([make]) }
        _ = try world.applier().recover()
        #expect(try tree(world.root)[LocalPath(bytes: Array("a".utf8))]?.mode == 0o555)
        #expect(try world.node("a") == node)
        #expect(try world.overlay[node] == .present(folder("a", mode: 0o555)))
        #expect(try world.scan().changes == 0)
    }

    @Test("a folder that is someone else's is a problem that names it, and the other steps go on")
    func foreignFolder() throws {
        guard getuid() == 0 else { return }
        world.makeFolder("theirs")
        try world.sync()
        chmod(world.directory.path, 0o777)
        chmod(world.root, 0o777)
        let folder = try #require(try world.node("theirs"))
        let before = cairn_act_as(65534)
        defer { cairn_act_as(uid_t(before)) }
        let report = try world.applier().perform([
            world.action(world.node(1), .makeFolder(self.folder("sub", parent: folder))),
            world.action(world.node(2), .makeFolder(self.folder("mine"))),
        ])
        #expect(report.problems.map(\.code) == [.permissionDenied])
        #expect(report.problems.first?.message.contains("theirs/sub") == true)
        #expect(report.outcomes.last == .done)
    }
}
