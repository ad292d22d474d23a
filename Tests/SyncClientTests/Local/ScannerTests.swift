import CLinux
import Foundation
import Glibc
import Model
import SyncPlanning
import TestSupport
import Testing

@testable import SyncClient

@Suite("Scanning the linked folder")
struct ScannerTests {
    let world: LocalWorld

    init() throws {
        world = try LocalWorld()
    }

    func states() throws -> [String: LocalNode] {
        var states: [String: LocalNode] = [:]
        for (node, local) in try world.overlay {
            states[try world.path(of: node)?.description ?? "gone \(node.hex)"] = local
        }
        return states
    }

    @Test("what is new gets nodes, files once they are read")
    func new() throws {
        world.makeFolder("a", mode: 0o750)
        world.write("a/file", Array("hello".utf8), mode: 0o640, modified: 1_500_000_000_000_000_001)
        symlink("/nowhere/at all", world.path("link"))
        try world.scan()
        #expect(try states().keys.sorted() == ["a", "link"])
        try world.readChanged()
        let states = try states()
        let folder = try #require(try world.node("a"))
        #expect(states["a/file"]?.state?.parent == folder)
        #expect(states["a/file"]?.state?.mode == 0o640)
        #expect(states["a/file"]?.state?.modified.nanoseconds == 1_500_000_000_000_000_001)
        #expect(states["a/file"]?.state?.payload == .file(LocalWorld.content(Array("hello".utf8))))
        #expect(states["a"]?.state?.mode == 0o750)
        #expect(states["link"]?.state?.payload == .symlink(target: Array("/nowhere/at all".utf8)))
    }

    @Test("a second scan changes nothing and reads nothing, before and after all is synced")
    func unchanged() throws {
        for index in 0..<20 { world.write("file \(index)", "bytes \(index)") }
        world.makeFolder("folder")
        world.write("folder/file", "more")
        try world.scan()
        #expect(try world.readChanged() == 21)
        let first = try world.overlay
        let report = try world.scan()
        #expect(report.changes == 0)
        #expect(report.entries == 22)
        #expect(try world.readChanged() == 0)
        #expect(try world.overlay == first)
        try world.commit()
        #expect(try world.scan().changes == 0)
        #expect(try world.overlay.isEmpty)
    }

    @Test("a file keeps its node when it is written to, replaced, or saved by renaming")
    func modified() throws {
        world.write("a", "one")
        try world.sync()
        let node = try #require(try world.node("a"))
        world.write("a", "two!")
        let changed = try world.sync()
        #expect(changed.keys.map { $0 } == [node])
        world.write("a.tmp", "three")
        world.move("a.tmp", "a")
        #expect(try world.sync().keys.map { $0 } == [node])
        // A backup of the old bytes, as some editors make it: the old inode is at another name.
        world.move("a", "a~")
        world.write("a", "four")
        let saved = try world.sync()
        #expect(saved[node]?.state?.payload == .file(LocalWorld.content(Array("four".utf8))))
        #expect(try world.node("a~") != node)
        // The same with a name that comes first.
        world.move("a", "A")
        world.write("a", "five")
        #expect(try world.sync()[node]?.state?.payload == .file(LocalWorld.content(Array("five".utf8))))
        #expect(try world.node("a") == node)
    }

    @Test("a touched file with its old bytes changes its time alone; with its old time, nothing")
    func touched() throws {
        world.write("a", Array("one".utf8), modified: 1_500_000_000_000_000_000)
        try world.sync()
        let node = try #require(try world.node("a"))
        cairn_set_times(AT_FDCWD, world.path("a"), 1_600_000_000_000_000_000)
        let changed = try world.sync()
        #expect(changed[node]?.state?.modified.nanoseconds == 1_600_000_000_000_000_000)
        world.write("a", Array("one".utf8), modified: 1_600_000_000_000_000_000)
        #expect(try world.sync().isEmpty)
        #expect(try world.scan().changes == 0)
    }

    @Test("only the permissions of a file or folder change")
    func permissions() throws {
        world.write("a", "one")
        world.makeFolder("b")
        try world.sync()
        chmod(world.path("a"), 0o400)
        chmod(world.path("b"), 0o700)
        let changed = try world.sync()
        #expect(changed[try #require(try world.node("a"))]?.state?.mode == 0o400)
        #expect(changed[try #require(try world.node("b"))]?.state?.mode == 0o700)
        #expect(changed.count == 2)
    }

    @Test("a renamed folder is one move, whatever is in it, and wherever it goes")
    func movedFolder() throws {
        world.makeFolder("a")
        world.makeFolder("a/deep")
        for index in 0..<30 { world.write("a/deep/\(index)", "bytes \(index)") }
        world.makeFolder("other")
        try world.sync()
        let node = try #require(try world.node("a"))
        for (from, to) in [("a", "z"), ("z", "A"), ("A", "other/a"), ("other/a", "a")] {
            world.move(from, to)
            #expect(try world.sync().keys.map { $0 } == [node], "\(from) to \(to)")
            #expect(try world.node(to) == node)
        }
    }

    @Test("a moved file keeps its node, in whatever order its places are seen")
    func movedFile() throws {
        for folder in ["b", "m", "y"] { world.makeFolder(folder) }
        world.write("m/file", "one")
        try world.sync()
        let node = try #require(try world.node("m/file"))
        for (from, to) in [("m/file", "b/x"), ("b/x", "y/file"), ("y/file", "y/a"), ("y/a", "m/file")] {
            world.move(from, to)
            let sent = try world.sync()
            #expect(sent.keys.map { $0 } == [node], "\(from) to \(to)")
            #expect(sent[node]?.state?.name.description == to.split(separator: "/").last.map(String.init))
        }
    }

    @Test("folders that change places, one into the other, and files moved out of a folder that goes")
    func tangled() throws {
        for folder in ["a", "a/b", "c"] { world.makeFolder(folder) }
        world.write("a/one", "1")
        world.write("a/b/two", "2")
        world.write("c/three", "3")
        try world.sync()
        let (a, b, c) = (try world.node("a"), try world.node("a/b"), try world.node("c"))
        world.move("a/b", "b")
        world.move("a", "b/a")
        world.move("c", "tmp")
        world.move("b", "c")
        world.move("tmp", "b")
        try world.sync()
        #expect(try world.node("c") == b)
        #expect(try world.node("c/a") == a)
        #expect(try world.node("b") == c)
        let one = try world.node("c/a/one")
        world.move("c/a/one", "kept")
        world.remove("c")
        let sent = try world.sync()
        #expect(try world.node("kept") == one)
        #expect(sent.values.filter { $0.state == nil }.count == 3)
    }

    @Test("a folder replaced by a copy keeps its node; one that was moved away does not")
    func replacedFolder() throws {
        world.makeFolder("a")
        world.write("a/file", "one")
        try world.sync()
        let (folder, file) = (try world.node("a"), try world.node("a/file"))
        world.makeFolder("copy")
        world.write("copy/file", "one, copied")
        world.remove("a")
        world.move("copy", "a")
        let sent = try world.sync()
        #expect(sent.keys.map { $0 } == [file])
        #expect(try world.node("a") == folder)
        for other in ["A", "z"] {
            world.move("a", other)
            world.makeFolder("a")
            world.write("a/new", "new")
            try world.sync()
            #expect(try world.node(other) == folder)
            #expect(try world.node("a") != folder)
            world.remove("a")
            world.move(other, "a")
            try world.sync()
        }
    }

    @Test("what is gone is removed, with all that was in it")
    func removed() throws {
        for folder in ["a", "a/b", "a/b/c"] { world.makeFolder(folder) }
        world.write("a/b/c/file", "one")
        world.write("stays", "two")
        try world.sync()
        world.remove("a")
        try world.scan()
        #expect(try world.overlay.count == 4)
        #expect(try world.overlay.values.allSatisfy { $0 == .removed })
        try world.commit()
        #expect(try world.database.read { try SyncedQueries($0, link: world.link.id).count() } == 1)
    }

    @Test("what was noted as removed and turns up again is a move")
    func revived() throws {
        world.makeFolder("a")
        world.write("a/file", "one")
        try world.sync()
        let (folder, file) = (try world.node("a"), try world.node("a/file"))
        // Out of the linked folder and back in, as between two batches of events.
        rename(world.path("a"), world.directory.appending("outside"))
        try world.scan()
        #expect(try world.overlay.count == 2)
        rename(world.directory.appending("outside"), world.path("back"))
        try world.sync()
        #expect(try world.node("back") == folder)
        #expect(try world.node("back/file") == file)
    }

    @Test("a file becomes a link under its node, a folder something else under another")
    func kinds() throws {
        world.write("file", "one")
        world.makeFolder("folder")
        try world.sync()
        let (file, folder) = (try world.node("file"), try world.node("folder"))
        world.remove("file")
        symlink("target", world.path("file"))
        world.remove("folder")
        world.write("folder", "a file now")
        let sent = try world.sync()
        #expect(try world.node("file") == file)
        #expect(try world.node("folder") != folder)
        #expect(sent[try #require(folder)] == RemoteNode(revision: Revision(2), state: nil))
        world.remove("file")
        world.makeFolder("file")
        try world.sync()
        #expect(try world.node("file") != file)
    }

    @Test("two names of one file are two nodes, also after one of them moved")
    func hardLinks() throws {
        world.write("a", "one")
        link(world.path("a"), world.path("b"))
        #expect(try world.sync().count == 2)
        let (a, b) = (try world.node("a"), try world.node("b"))
        #expect(a != b)
        link(world.path("a"), world.path("0"))
        try world.sync()
        #expect(try world.node("a") == a)
        #expect(try world.node("b") == b)
        #expect(try world.node("0") != a && world.node("0") != b)
    }

    @Test("sockets, pipes and the client's own folder are no nodes; what was one before is removed")
    func special() throws {
        world.write("a", "one")
        try world.sync()
        world.remove("a")
        mkfifo(world.path("a"), 0o600)
        mkfifo(world.path("pipe"), 0o600)
        world.makeFolder(".cairn-staging")
        world.write(".cairn-staging/b", "own")
        world.makeFolder("sub")
        world.write("sub/.cairn-staging-b-1", "own")
        let report = try world.scan()
        #expect(report.skipped.map(\.description).sorted() == ["a", "pipe"])
        #expect(report.skippedCount == 2)
        let overlay = try world.overlay
        #expect(overlay.count == 2)
        #expect(overlay.values.contains(.removed))
        #expect(try world.node(".cairn-staging") == nil)
    }

    @Test("a symbolic link is never followed, not even in the place of a folder")
    func links() throws {
        world.makeFolder("a")
        world.write("a/file", "one")
        mkdir(world.directory.appending("outside"), 0o755)
        try world.sync()
        rename(world.path("a"), world.directory.appending("outside/a"))
        symlink(world.directory.appending("outside/a"), world.path("a"))
        symlink(world.directory.path, world.path("up"))
        try world.sync()
        #expect(try world.node("a/file") == nil)
        #expect(try world.node("up/state.db") == nil)
        #expect(throws: ClientError.self) { try world.opened.handle.folder(at: LocalPath(bytes: Array("a".utf8))) }
        #expect(throws: ClientError.self) {
            try world.opened.handle.folder(at: LocalPath(bytes: Array("up/folder".utf8)))
        }
    }

    @Test("names are bytes: newlines, no UTF-8 and 255 of them")
    func names() throws {
        let names: [[UInt8]] = [
            Array("new\nline".utf8), [0xFF, 0xFE, 0x80], [UInt8](repeating: 0x6E, count: 255), Array(" ".utf8),
            Array("-rf *".utf8), Array("é".utf8), Array("e\u{301}".utf8),
        ]
        let folder = try world.opened.handle
        for name in names { _ = try folder.open(name, O_WRONLY | O_CREAT, permissions: 0o644) }
        let sent = try world.sync()
        let found = sent.values.compactMap { $0.state?.name.bytes }
        #expect(Set(found) == Set(names))
        #expect(try world.scan().changes == 0)
    }

    @Test("a path longer than a call takes is scanned to its end")
    func deep() throws {
        var handle = try world.opened.handle
        let name = [UInt8](repeating: 0x64, count: 200)
        for _ in 0..<30 {
            try handle.makeFolder(name, permissions: 0o755)
            handle = try handle.open(name, O_RDONLY | O_DIRECTORY)
        }
        _ = try handle.open(Array("file".utf8), O_WRONLY | O_CREAT, permissions: 0o644)
        #expect(try world.sync().count == 31)
        #expect(try world.scan().changes == 0)
    }
}
