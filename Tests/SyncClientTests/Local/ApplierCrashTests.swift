import CLinux
import Foundation
import Glibc
import Model
import SyncPlanning
import TestSupport
import Testing

@testable import SyncClient

/// The client is killed at every moment of a plan that does everything, then starts again.
@Suite("Kills while the client applies a plan")
struct ApplierCrashTests {
    /// A synced world and what the server has changed since.
    struct Scene {
        let world: LocalWorld
        var remote: [NodeID: RemoteNode] = [:]
        var store: ContentStore = [:]

        init() throws {
            world = try LocalWorld()
            for folder in ["swap1", "swap2", "gone", "moves", "into"] { world.makeFolder(folder) }
            for (name, bytes) in Self.before { world.write(name, bytes) }
            symlink("old target", world.path("link"))
            try world.sync()
            try change("edited", bytes: "edited on the server")
            try change("x", name: "y")
            try change("y", name: "x")
            try change("swap1", name: "swap2")
            try change("swap2", name: "swap1")
            let into = try world.node("into")
            try change("moves", name: "moved", parent: into)
            try change("mode", mode: 0o600)
            for name in ["gone/file", "gone", "removed"] {
                remote[try #require(try world.node(name))] = RemoteNode(revision: Revision(2), state: nil)
            }
            let linkNode = try #require(try world.node("link"))
            var link = try #require(try world.record(linkNode)?.state)
            link.payload = .symlink(target: Array("new target".utf8))
            remote[linkNode] = RemoteNode(revision: Revision(2), state: link)
            try create("new", "new from the server", 1)
            try world.receive(remote)
        }

        static let before = [
            "edited": "old", "x": "was x", "y": "was y", "swap1/file": "one", "swap2/file": "two",
            "gone/file": "goes", "removed": "goes too", "moves/file": "moves", "mode": "mode",
        ]
        static let after = [
            "edited": "edited on the server", "x": "was y", "y": "was x", "swap1/file": "two", "swap2/file": "one",
            "into/moved/file": "moves", "mode": "mode", "new": "new from the server",
        ]

        mutating func change(
            _ path: String, name: String? = nil, parent: NodeID? = nil, bytes: String? = nil, mode: UInt16? = nil
        ) throws {
            let node = try #require(try world.node(path))
            var state = try #require(try world.record(node)?.state)
            if let name { state.name = try NodeName(name) }
            if let parent { state.parent = parent }
            if let mode { state.mode = mode }
            if let bytes {
                let content = LocalWorld.content(Array(bytes.utf8))
                store[content.id] = Array(bytes.utf8)
                state.payload = .file(content)
            }
            remote[node] = RemoteNode(revision: Revision(2), state: state)
        }

        mutating func create(_ name: String, _ text: String, _ number: UInt64) throws {
            let content = LocalWorld.content(Array(text.utf8))
            store[content.id] = Array(text.utf8)
            remote[world.node(number)] = RemoteNode(
                revision: Revision(2),
                state: NodeState(
                    parent: .root, name: try NodeName(name), payload: .file(content), mode: 0o644,
                    modified: Timestamp(nanoseconds: 1_600_000_000_000_000_000)))
        }

        /// Runs a pass that is killed at the `count`th moment. Returns whether it was.
        func run(killedAt count: Int, before: @escaping (ApplierMoment) -> Void = { _ in }) throws -> Bool {
            var left = count
            do {
                try world.pass(store) { moment in
                    left -= 1
                    if left == 0 {
                        before(moment)
                        throw Killed()
                    }
                }
                return false
            } catch is Killed {
                return true
            }
        }

        /// The texts of all files by their paths, wherever they are.
        func texts() throws -> [String: String] {
            var texts: [String: String] = [:]
            for (path, entry) in try tree(world.root) where entry.kind == "file" {
                texts[path.description] = String(decoding: entry.bytes, as: UTF8.self)
            }
            return texts
        }
    }

    @Test("the plan does what it should without a kill")
    func undisturbed() throws {
        let scene = try Scene()
        #expect(try scene.world.converge(scene.store) != nil)
        #expect(try scene.texts() == Scene.after)
        #expect(try scene.world.opened.handle.target(of: Array("link".utf8)) == Array("new target".utf8))
        #expect(scene.world.names("") == ["edited", "into", "link", "mode", "new", "swap1", "swap2", "x", "y"])
    }

    @Test("killed at any moment, it recovers, loses nothing and ends where it should")
    func killed() throws {
        var count = 1
        while true {
            let scene = try Scene()
            guard try scene.run(killedAt: count) else { break }
            let moment = Comment("killed at moment \(count)")
            let report = try scene.world.applier().recover()
            #expect(report.problems == [], moment)
            #expect(report.kept.isEmpty, moment)
            // No name of the client's own but what waits to be built or moved on.
            let texts = try scene.texts()
            let values = Set(texts.values)
            for kept in ["was x", "was y", "one", "two", "moves", "mode"] { #expect(values.contains(kept), moment) }
            #expect(texts["edited"] == "old" || texts["edited"] == "edited on the server", moment)
            #expect(try scene.world.converge(scene.store) != nil, moment)
            let found = try scene.texts()
            #expect(found == Scene.after, moment)
            #expect(!scene.world.names().contains(".cairn-staging"), moment)
            count += 1
        }
        #expect(count > 35)
    }

    @Test("killed twice, in the recovery's own plan too, it still ends where it should")
    func killedTwice() throws {
        for (first, second) in [(4, 9), (9, 3), (14, 14), (19, 25), (23, 7), (28, 2), (33, 18), (37, 5)] {
            let scene = try Scene()
            _ = try scene.run(killedAt: first)
            _ = try scene.world.applier().recover()
            _ = try scene.run(killedAt: second)
            _ = try scene.world.applier().recover()
            #expect(try scene.world.converge(scene.store) != nil)
            let found = try scene.texts()
            #expect(found == Scene.after, "killed at moments \(first) and \(second)")
        }
    }

    @Test("bytes that a user wrote around the kill are there afterwards, whatever the moment")
    func killedAndWritten() throws {
        var count = 1
        while true {
            let scene = try Scene()
            let killed = try scene.run(killedAt: count) { _ in
                // Right before the kill, into whatever has these names at that moment.
                for name in ["edited", "removed", "x", "y", "gone/file"] where scene.world.read(name) != nil {
                    scene.world.write(name, "unseen \(name) at \(count)")
                }
            }
            guard killed else { break }
            let written = Set(try scene.texts().values.filter { $0.hasPrefix("unseen") })
            _ = try scene.world.applier().recover()
            #expect(try scene.world.converge(scene.store) != nil, "killed at moment \(count)")
            let left = Set(try scene.texts().values)
            #expect(written.isSubset(of: left), "killed at moment \(count): \(written.subtracting(left))")
            #expect(!scene.world.names().contains(".cairn-staging"), "killed at moment \(count)")
            count += 1
        }
        #expect(count > 35)
    }

    @Test("bytes that a swap displaced unseen right before the kill are kept by the recovery")
    func displacedUnseen() throws {
        let world = try LocalWorld()
        world.write("a", "seen")
        world.write("b", "seen too")
        try world.sync()
        let ids = try ["a", "b"].map { try #require(try world.node($0)) }
        let applier = try world.applier { moment in
            if moment == .beforeExchange { world.write("a", "unseen") }
            if moment == .afterExchange { throw Killed() }
        }
        let (file, state) = try world.stage(applier, ids[0], "a", "from the server")
        #expect(throws: Killed.self) {
            try applier.perform([world.action(ids[0], .placeFile(state))], files: [ids[0]: file])
        }
        let removing = try world.applier { moment in
            if moment == .beforeRemove { world.write("b", "unseen too") }
            if moment == .afterSetAside { throw Killed() }
        }
        #expect(throws: Killed.self) { try removing.perform([world.action(ids[1], .remove)]) }
        let report = try world.applier().recover()
        #expect(report.kept.map(\.path.description) == ["a"])
        #expect(world.read("a") == "from the server")
        #expect(world.read("a (conflicted copy laptop 2026-01-02)") == "unseen")
        #expect(world.read("b") == "unseen too")
        try world.applier().finish()
        #expect(world.names().count == 3)
    }

    @Test("a parked node whose place was taken waits for the plan that moves it on")
    func parkedAndTaken() throws {
        let world = try LocalWorld()
        world.write("a", "parked")
        try world.sync()
        let node = try #require(try world.node("a"))
        let state = try #require(try world.record(node)?.state)
        _ = try world.applier().perform([world.action(node, .park)])
        world.write("a", "unseen")
        _ = try world.applier().recover()
        try world.scan()
        try world.readChanged()
        #expect(try world.overlay[node] == .parked(state))
        #expect(try world.converge([:]) != nil)
        #expect(Set(world.names().compactMap { world.read($0) }) == ["parked", "unseen"])
    }

    @Test("what nobody knows any more is put at the top of the folder, not away")
    func unknown() throws {
        let world = try LocalWorld()
        world.makeFolder(".cairn-staging")
        let node = world.node(7)
        world.write(".cairn-staging/\(StagedName.parked(node).text)", "whose?")
        world.write(".cairn-staging/\(StagedName.removed(world.node(8)).text)", "and this?")
        world.write(".cairn-staging/somebody's", "left alone")
        let applier = try world.applier()
        _ = try applier.recover()
        try applier.finish()
        #expect(Set(world.names().compactMap { world.read($0) }) == ["whose?", "and this?"])
        #expect(world.names(".cairn-staging") == ["somebody's"])
    }

    @Test(
        "the names of staged files say what they are, and only those",
        arguments: [
            StagedName.built(NodeID(high: 1, low: .max), content: .max), .swapped(NodeID(high: 0, low: 1), inode: 0x1F),
            .parked(NodeID(high: .max, low: 0)), .removed(NodeID(high: 5, low: 6)),
        ])
    func names(name: StagedName) {
        #expect(StagedName(Array(name.text.utf8)) == name)
        #expect(StagedName(Array((name.text + "-").utf8)) == nil)
        #expect(StagedName(Array(name.text.dropFirst().utf8)) == nil)
        #expect(StagedName(Array("z" + name.text.dropFirst())[...].flatMap { $0.utf8 }) == nil)
    }
}
