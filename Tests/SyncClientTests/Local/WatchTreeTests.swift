import CLinux
import Glibc
import Model
import TestSupport
import Testing

@testable import SyncClient

@Suite("What events say of the tree")
struct WatchTreeTests {
    func path(_ text: String) -> LocalPath { LocalPath(bytes: Array(text.utf8)) }

    func event(_ watch: Int32, _ flags: UInt32, _ name: String = "", cookie: UInt32 = 0) -> WatchTree.Event {
        WatchTree.Event(watch: watch, mask: flags, cookie: cookie, name: Array(name.utf8))
    }

    /// `.` is 1, `a` 2, `a/b` 3, `c` 4.
    func tree() -> WatchTree {
        var tree = WatchTree()
        tree.insert(root: 1)
        tree.insert(2, name: Array("a".utf8), in: 1)
        tree.insert(3, name: Array("b".utf8), in: 2)
        tree.insert(4, name: Array("c".utf8), in: 1)
        return tree
    }

    let folder = UInt32(bitPattern: Int32(bitPattern: UInt32(IN_ISDIR)))

    @Test("a change of an entry makes its folder dirty")
    func dirty() {
        var tree = tree()
        for flag in [IN_CREATE, IN_DELETE, IN_MODIFY, IN_CLOSE_WRITE, IN_ATTRIB, IN_MOVED_FROM, IN_MOVED_TO] {
            #expect(tree.handle(event(3, UInt32(flag), "file")) == [.dirty(path("a/b"))])
        }
        #expect(tree.handle(event(1, UInt32(IN_MODIFY), "file")) == [.dirty(.root)])
        #expect(tree.handle(event(77, UInt32(IN_MODIFY), "file")) == [])
        #expect(tree.handle(event(1, UInt32(IN_CREATE) | folder, ".cairn-staging")) == [])
    }

    @Test("a new folder is to be watched")
    func new() {
        var tree = tree()
        #expect(
            tree.handle(event(2, UInt32(IN_CREATE) | folder, "new")) == [.dirty(path("a")), .watch(path("a/new"))])
    }

    @Test("a folder that moves within the tree keeps its watches, and its paths are the new ones")
    func moves() {
        var tree = tree()
        #expect(tree.handle(event(1, UInt32(IN_MOVED_FROM) | folder, "a", cookie: 9)) == [.dirty(.root)])
        #expect(tree.path(of: 3) == nil)
        #expect(
            tree.handle(event(4, UInt32(IN_MOVED_TO) | folder, "z", cookie: 9)) == [
                .dirty(path("c")), .watch(path("c/z")),
            ])
        #expect(tree.settleMoves() == [])
        #expect(tree.path(of: 3) == path("c/z/b"))
        #expect(tree.watch(at: path("c/z/b")) == 3)
        #expect(tree.watch(at: path("a")) == nil)
        #expect(tree.handle(event(3, UInt32(IN_MODIFY), "file")) == [.dirty(path("c/z/b"))])
    }

    @Test("a folder that leaves the tree takes the watches within it along")
    func leaves() {
        var tree = tree()
        _ = tree.handle(event(1, UInt32(IN_MOVED_FROM) | folder, "a", cookie: 9))
        #expect(Set(tree.settleMoves()) == [.unwatch(2), .unwatch(3)])
        #expect(tree.settleMoves() == [])
        #expect(tree.count == 2)
    }

    @Test("a watch that the kernel dropped is forgotten")
    func ignored() {
        var tree = tree()
        _ = tree.handle(event(3, UInt32(IN_IGNORED)))
        #expect(tree.count == 3)
        #expect(tree.watch(at: path("a/b")) == nil)
        #expect(tree.handle(event(3, UInt32(IN_MODIFY), "file")) == [])
    }

    @Test("lost events, and the loss of the linked folder, make everything dirty")
    func overflow() {
        var tree = tree()
        #expect(tree.handle(event(-1, UInt32(IN_Q_OVERFLOW))) == [.everything])
        #expect(tree.handle(event(1, UInt32(IN_MOVE_SELF))) == [.everything])
        #expect(tree.handle(event(1, UInt32(IN_DELETE_SELF))) == [.everything])
        #expect(tree.handle(event(2, UInt32(IN_DELETE_SELF))) == [])
        #expect(tree.handle(event(2, UInt32(IN_UNMOUNT))) == [.everything])
    }

    @Test("a folder whose watch turns up under another name has moved")
    func reinserted() {
        var tree = tree()
        tree.insert(2, name: Array("new".utf8), in: 4)
        #expect(tree.path(of: 3) == path("c/new/b"))
        #expect(tree.watch(at: path("a")) == nil)
        #expect(tree.count == 4)
        tree.insert(root: 1)
        #expect(tree.count == 4)
    }

    @Test("a folder that was found before the events that brought it there stays watched")
    func foundEarly() {
        var tree = tree()
        // On disk `a` went to `c/z`, and another folder, 5, took its place: a walk finds that first.
        let isNew = tree.insert(5, name: Array("a".utf8), in: 1)
        #expect(isNew)
        #expect(tree.path(of: 3) == nil)
        _ = tree.handle(event(1, UInt32(IN_MOVED_FROM) | folder, "a", cookie: 9))
        _ = tree.handle(event(4, UInt32(IN_MOVED_TO) | folder, "z", cookie: 9))
        let movedIsNew = tree.insert(2, name: Array("z".utf8), in: 4)
        #expect(!movedIsNew)
        _ = tree.handle(event(1, UInt32(IN_CREATE) | folder, "a"))
        let isNewAgain = tree.insert(5, name: Array("a".utf8), in: 1)
        #expect(!isNewAgain)
        #expect(tree.settleMoves() == [])
        #expect(tree.path(of: 5) == path("a"))
        #expect(tree.path(of: 3) == path("c/z/b"))
    }

    @Test("a folder that was found again at its place after it left is not dropped with those that left")
    func foundAgain() {
        var tree = tree()
        _ = tree.handle(event(1, UInt32(IN_MOVED_FROM) | folder, "a", cookie: 9))
        tree.insert(2, name: Array("a".utf8), in: 1)
        #expect(tree.settleMoves() == [])
        #expect(tree.path(of: 3) == path("a/b"))
        _ = tree.handle(event(4, UInt32(IN_MOVED_TO) | folder, "late", cookie: 9))
        #expect(tree.path(of: 2) == path("a"))
    }

    @Test("a folder whose place another one has taken, and that turns up nowhere, is watched no more")
    func replaced() {
        var tree = tree()
        tree.insert(5, name: Array("a".utf8), in: 1)
        #expect(Set(tree.settleMoves()) == [.unwatch(2), .unwatch(3)])
        #expect(tree.path(of: 5) == path("a"))
    }

    @Test("batches join, and become everything when there are too many folders")
    func batches() {
        var batch = WatchBatch(folders: [path("a")])
        batch.merge(WatchBatch(folders: [path("b")], problem: Problem(path: .root, code: .watchLimit, message: "m")))
        #expect(batch.scope == .folders([path("a"), path("b")]))
        #expect(batch.problem?.code == .watchLimit)
        batch.merge(WatchBatch(folders: Set((0...WatchBatch.folderLimit).map { path("\($0)") })))
        #expect(batch.scope == .full)
        #expect(batch.folders.isEmpty)
        #expect(WatchBatch().isEmpty && !batch.isEmpty)
    }

    @Test("a batch waits for quiet, but not for ever")
    func quiet() {
        var period = QuietPeriod(quiet: .milliseconds(20), longest: .milliseconds(200))
        #expect(period.deadline == nil)
        period.note(at: 1_000_000_000)
        #expect(period.deadline == 1_020_000_000)
        period.note(at: 1_015_000_000)
        #expect(period.deadline == 1_035_000_000)
        period.note(at: 1_199_000_000)
        #expect(period.deadline == 1_200_000_000)
        period.reset()
        #expect(period.deadline == nil)
    }
}
