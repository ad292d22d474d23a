import CLinux
import Foundation
import Glibc
import Model
import SyncPlanning
import TestSupport
import Testing

@testable import SyncClient

/// What recovery takes for done, and what it must not.
@Suite("Intents of steps after a kill")
struct IntentTests {
    let world: LocalWorld

    init() throws {
        world = try LocalWorld()
    }

    func placement(_ name: String, _ parent: NodeID = .root) throws -> Placement {
        Placement(parent: parent, name: try NodeName(name))
    }

    /// Performs actions and is killed when they are done, just before that is noted.
    func killed(_ actions: [LocalAction], files: [NodeID: StagedFile] = [:], at last: ApplierMoment = .beforeNote)
        throws
    {
        let applier = try world.applier { if $0 == last { throw Killed() } }
        #expect(throws: Killed.self) { try applier.perform(actions, files: files) }
    }

    func recover() throws {
        #expect(try world.applier().recover().problems == [])
        #expect(try world.database.read { try IntentQueries($0, link: world.link.id).all() }.isEmpty)
    }

    @Test("files that changed places are known for what they are, and nothing is read again")
    func swap() throws {
        for name in ["a", "b"] { world.write(name, "was \(name)") }
        try world.sync()
        let (a, b) = (try #require(try world.node("a")), try #require(try world.node("b")))
        let state = try #require(try world.record(a)?.state)
        try killed([
            world.action(a, .park), world.action(b, .move(to: placement("a"))),
            LocalAction(node: a, before: .parked(state), step: .move(to: placement("b"))),
        ])
        try recover()
        #expect(try world.node("a") == b)
        #expect(try world.node("b") == a)
        #expect(try world.scan().changes == 0)
    }

    @Test("what was placed in folders just made and moved is known by its node")
    func nested() throws {
        world.makeFolder("old")
        world.write("old/file", "one")
        try world.sync()
        let (old, file) = (try #require(try world.node("old")), try #require(try world.node("old/file")))
        let (new, placed, link) = (world.node(1), world.node(2), world.node(3))
        let applier = try world.applier()
        let (staged, state) = try world.stage(applier, placed, "placed", "two", parent: new)
        let folder = NodeState(
            parent: .root, name: try NodeName("new"), payload: .folder, mode: 0o755, modified: Timestamp(nanoseconds: 0)
        )
        let target = NodeState(
            parent: old, name: try NodeName("link"), payload: .symlink(target: [1]), mode: 0o777,
            modified: Timestamp(nanoseconds: 5))
        try killed(
            [
                world.action(new, .makeFolder(folder)), world.action(file, .move(to: placement("moved", new))),
                world.action(placed, .placeFile(state)), world.action(old, .move(to: placement("inner", new))),
                world.action(link, .placeSymlink(target)),
            ], files: [placed: staged])
        try recover()
        #expect(try world.node("new") == new)
        #expect(try world.node("new/moved") == file)
        #expect(try world.node("new/placed") == placed)
        #expect(try world.node("new/inner") == old)
        #expect(try world.node("new/inner/link") == link)
        #expect(try world.scan().changes == 0)
    }

    @Test("what was removed and made anew under its name is two nodes")
    func removedAndMade() throws {
        world.write("a", "old")
        try world.sync()
        let (old, new) = (try #require(try world.node("a")), world.node(1))
        let applier = try world.applier()
        let (staged, state) = try world.stage(applier, new, "a", "new")
        try killed([world.action(old, .remove), world.action(new, .placeFile(state))], files: [new: staged])
        try recover()
        #expect(try world.node("a") == new)
        #expect(try world.overlay[old] == .removed)
        #expect(try world.scan().changes == 0)
    }

    @Test(
        "what was not done is not taken for done",
        arguments: [ApplierMoment.afterBatchSync, .beforeMove, .beforeRemove])
    func undone(moment: ApplierMoment) throws {
        for name in ["a", "b"] { world.write(name, name) }
        try world.sync()
        let (a, b) = (try #require(try world.node("a")), try #require(try world.node("b")))
        let actions = try [world.action(a, .move(to: placement("c"))), world.action(b, .remove)]
        try killed(moment == .beforeRemove ? actions.reversed() : actions, at: moment)
        try recover()
        #expect(try world.overlay.isEmpty)
        #expect(try world.scan().changes == 0)
        #expect(world.names() == ["a", "b"])
    }

    @Test("what a user did to it between the kill and the recovery is seen by the scan")
    func changedSince() throws {
        for name in ["a", "b", "c"] { world.write(name, name) }
        try world.sync()
        let ids = try ["a", "b", "c"].map { try #require(try world.node($0)) }
        try killed([
            world.action(ids[0], .move(to: placement("x"))), world.action(ids[1], .move(to: placement("y"))),
            world.action(ids[2], .remove),
        ])
        world.write("x", "written since")
        world.move("y", "z")
        world.write("c", "made since")
        try recover()
        try world.sync()
        #expect(try world.node("z") == ids[1])
        #expect(try world.node("x") == ids[0])
        #expect(world.read("x") == "written since")
        #expect(try world.node("c") != nil)
        #expect(try world.scan().changes == 0)
    }

    @Test("mode and time that were set are known, and no change of the user's")
    func attributes() throws {
        world.write("a", "one")
        world.makeFolder("f")
        try world.sync()
        let (file, folder) = (try #require(try world.node("a")), try #require(try world.node("f")))
        let time = Timestamp(nanoseconds: 1_300_000_000_000_000_000)
        try killed([
            world.action(file, .setAttributes(mode: 0o600, modified: time)),
            world.action(folder, .setAttributes(mode: 0o700, modified: time)),
        ])
        try recover()
        #expect(try world.record(file)?.state?.modified == time)
        #expect(try world.record(folder)?.state?.mode == 0o700)
        #expect(try world.scan().changes == 0)
    }

    @Test("what lies in a folder that can't be looked at is not taken for removed")
    func removedUnreadable() throws {
        guard getuid() == 0 else { return }
        chmod(world.directory.path, 0o777)
        for path in [world.root, world.directory.appending("state.db")] { chown(path, 65534, 65534) }
        let before = cairn_act_as(65534)
        defer { cairn_act_as(uid_t(before)) }
        world.makeFolder("f")
        world.write("f/a", "one")
        try world.sync()
        let node = try #require(try world.node("f/a"))
        try killed([world.action(node, .remove)], at: .beforeRemove)
        chmod(world.path("f"), 0o000)
        try recover()
        chmod(world.path("f"), 0o755)
        #expect(try world.overlay.isEmpty)
        #expect(try world.node("f/a") == node)
    }

    @Test("a recovery that is killed is done again")
    func twice() throws {
        for name in ["a", "b"] { world.write(name, "was \(name)") }
        try world.sync()
        let (a, b) = (try #require(try world.node("a")), try #require(try world.node("b")))
        let state = try #require(try world.record(a)?.state)
        try killed(
            [
                world.action(a, .park), world.action(b, .move(to: placement("a"))),
                LocalAction(node: a, before: .parked(state), step: .move(to: placement("b"))),
            ], at: .afterMove)
        let names = world.names(".cairn-staging")
        #expect(names == [StagedName.parked(a).text])
        // The place of the parked file is taken: it waits for its move.
        for _ in 0..<2 {
            try recover()
            #expect(try world.overlay[a] == .parked(state))
            #expect(try world.node("a") == b)
            #expect(world.names(".cairn-staging") == names)
        }
        _ = try world.applier().perform([
            LocalAction(node: a, before: .parked(state), step: .move(to: placement("b")))
        ])
        #expect(world.read("b") == "was a")
    }
}
