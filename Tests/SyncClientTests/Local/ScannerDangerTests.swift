import CLinux
import Foundation
import GRDB
import Glibc
import Model
import SyncPlanning
import TestSupport
import Testing

@testable import SyncClient

/// What a scan must never take for a removal, and what it must look at twice.
@Suite("What a scan does not know")
struct ScannerDangerTests {
    let world: LocalWorld

    init() throws {
        world = try LocalWorld()
    }

    /// Runs as a user without the rights of the superuser.
    func asNobody<Answer>(_ body: () throws -> Answer) rethrows -> Answer {
        let before = cairn_act_as(65534)
        defer { cairn_act_as(uid_t(before)) }
        return try body()
    }

    @Test("a folder that can't be read is a problem, and nothing in it is removed")
    func unreadable() throws {
        guard getuid() == 0 else { return }
        chmod(world.directory.path, 0o755)
        chmod(world.root, 0o755)  // another test may set the umask meanwhile
        world.makeFolder("closed")
        world.write("closed/file", "one")
        world.makeFolder("open")
        world.write("open/file", "two")
        try world.sync()
        chmod(world.path("closed"), 0o000)
        world.remove("open/file")
        try asNobody {
            let report = try world.scan()
            #expect(report.problems.map(\.path.description) == ["closed"])
            #expect(report.problems.map(\.code) == [.permissionDenied])
            #expect(report.problems.first?.message.contains("closed") == true)
        }
        #expect(try world.node("closed/file") != nil)
        #expect(try world.node("open/file") == nil)
    }

    @Test("a folder that was replaced, unmounted or removed is not one in which everything was removed")
    func replacedRoot() throws {
        world.write("file", "one")
        try world.sync()
        rename(world.root, world.directory.appending("away"))
        #expect(throws: ClientError.self) { try world.scan() }
        mkdir(world.root, 0o755)
        let error = #expect(throws: ClientError.self) { try world.scan() }
        #expect(error?.code == .folderReplaced)
        #expect(error?.message.contains(world.root) == true)
        rmdir(world.root)
        symlink(world.directory.appending("away"), world.root)
        #expect(throws: ClientError.self) { try world.scan() }
        unlink(world.root)
        rename(world.directory.appending("away"), world.root)
        #expect(try world.scan().changes == 0)
    }

    @Test("what was mounted within the folder and is not any more is a problem, and nothing in it is removed")
    func unmounted() throws {
        world.makeFolder("mount")
        guard mount("tmpfs", world.path("mount"), "tmpfs", 0, "size=1m") == 0 else {
            print("skipped: this user may not mount")
            return
        }
        world.write("mount/file", "one")
        try world.sync()
        #expect(try world.node("mount/file") != nil)
        umount(world.path("mount"))
        let report = try world.scan()
        #expect(report.problems.map(\.code) == [.folderReplaced])
        #expect(try world.overlay.isEmpty)
    }

    @Test("device numbers given out anew at a start of the machine change nothing")
    func renumbered() throws {
        world.makeFolder("a")
        world.write("a/file", "one")
        try world.sync()
        try world.database.write { connection in
            for table in ["synced", "link"] {
                try connection.execute(sql: "UPDATE \(table) SET f_device = 424242")
            }
        }
        let link = try #require(try world.database.read { try LinkQueries($0).record(world.link.id) })
        let scanner = Scanner(
            folder: try LinkedFolder(link), link: link, database: world.database, clock: world.clock)
        #expect(try scanner.scan(.full, using: SeededGenerator(seed: 1)).changes == 0)
        let device = try world.opened.fingerprint.device
        #expect(try world.record(try #require(try world.node("a")))?.fingerprint.device == device)
    }

    @Test("a file read in the tick in which it was written is read again, until it is not")
    func racy() throws {
        world.clock = ShiftedClock(shift: .zero)
        world.write("a", "one")
        try world.scan()
        try world.readChanged()
        let node = try #require(try world.node("a"))
        let record = try #require(try world.record(node))
        let written = record.fingerprint.changed
        #expect(record.fingerprint.isRacy(readAt: Timestamp(nanoseconds: written)))
        #expect(record.fingerprint.isRacy(readAt: Timestamp(nanoseconds: written + 9_000_000)))
        #expect(!record.fingerprint.isRacy(readAt: Timestamp(nanoseconds: written + 11_000_000)))
        // Whatever the machine's speed was: note it as racy and see that the next scan looks again.
        var racy = record
        racy.isRacy = true
        try world.database.write { try LocalQueries($0, link: world.link.id).note([racy]) }
        world.clock = ShiftedClock()
        #expect(try world.scan().changes == 1)
        #expect(try world.readChanged() == 1)
        #expect(try world.scan().changes == 0)
    }

    @Test("a write that leaves size and times as they were is found where the file was racy")
    func hiddenWrite() throws {
        world.clock = ShiftedClock(shift: .seconds(-60))
        world.write("a", "one")
        let time = try #require(try world.opened.handle.status(of: Array("a".utf8))).modified
        try world.sync()
        let node = try #require(try world.node("a"))
        world.write("a", Array("two".utf8), modified: time)
        // As if the write had come in the same tick: the fingerprint is made to match.
        let found = try #require(try world.opened.handle.status(of: Array("a".utf8)))
        try world.database.write {
            try SyncedQueries($0, link: world.link.id).refresh(node, found, racy: true)
        }
        world.clock = ShiftedClock()
        let sent = try world.sync()
        #expect(sent[node]?.state?.payload == .file(LocalWorld.content(Array("two".utf8))))
    }

    @Test("file systems that count whole seconds are racy for longer")
    func coarse() {
        let whole = Fingerprint(
            device: 1, inode: 1, size: 1, modified: 7_000_000_000, changed: 7_000_000_000, born: 0, mode: 0o100644)
        #expect(whole.isRacy(readAt: Timestamp(nanoseconds: 8_500_000_000)))
        #expect(!whole.isRacy(readAt: Timestamp(nanoseconds: 9_500_000_000)))
        var old = whole
        old.modified = 1_000_000_000
        #expect(!old.isRacy(readAt: Timestamp(nanoseconds: 7_000_000_001)))
    }

    @Test("only the folders named are looked at, with what is new in them")
    func partial() throws {
        for folder in ["a", "a/deep", "b"] { world.makeFolder(folder) }
        world.write("a/file", "one")
        world.write("b/file", "two")
        try world.sync()
        world.write("a/file", "one!")
        world.write("b/file", "two!")
        world.write("a/deep/file", "three")
        func path(_ text: String) -> LocalPath { LocalPath(bytes: Array(text.utf8)) }
        try world.scan(.folders([path("a")]))
        try world.readChanged()
        #expect(try world.overlay.count == 1)
        world.makeFolder("b/new")
        world.makeFolder("b/new/er")
        world.write("b/new/er/file", "four")
        // A folder that nobody knows yet stands for the nearest one above it.
        try world.scan(.folders([path("b/new/er")]))
        try world.readChanged()
        #expect(try world.node("b/new/er/file") != nil)
        #expect(try world.overlay.count == 5)
        world.move("a/deep", "b/deep")
        try world.scan(.folders([path("a"), path("b")]))
        try world.readChanged()
        #expect(try world.node("b/deep/file") != nil)
        world.remove("b")
        try world.scan(.folders([path("b"), path("b/new")]))
        #expect(try world.node("b") == nil)
        try world.commit()
        #expect(try world.scan().changes == 0)
    }
}
