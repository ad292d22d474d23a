import CLinux
import Foundation
import Glibc
import Model
import SyncPlanning
import TestSupport
import Testing

@testable import SyncClient

/// How programs save a file.
enum SaveHabit: CaseIterable {
    /// Opens, truncates, writes.
    case inPlace
    /// Writes a new file and renames it over the old one.
    case renameOver
    /// Renames the old one to a backup, then writes a new file.
    case backup
    /// Removes the old one, then writes a new file.
    case removeFirst
    /// Swaps the new file with the old one in one step.
    case exchange

    func save(_ name: String, _ text: String, in world: LocalWorld) {
        switch self {
        case .inPlace: world.write(name, text)
        case .renameOver:
            world.write("\(name).tmp", text)
            world.move("\(name).tmp", name)
        case .backup:
            world.move(name, "\(name)~")
            world.write(name, text)
        case .removeFirst:
            world.remove(name)
            world.write(name, text)
        case .exchange:
            world.write("\(name).swp", text)
            cairn_rename_exchange(AT_FDCWD, world.path("\(name).swp"), AT_FDCWD, world.path(name))
        }
    }
}

@Suite("Users and programs that get in the way")
struct AdversaryTests {
    let world: LocalWorld
    let node: NodeID

    init() throws {
        world = try LocalWorld()
        world.write("a", "seen")
        try world.sync()
        node = try #require(try world.node("a"))
    }

    func placement(_ name: String, _ parent: NodeID = .root) throws -> Placement {
        Placement(parent: parent, name: try NodeName(name))
    }

    func texts() throws -> [String] {
        try tree(world.root).values.filter { $0.kind == "file" }.map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    /// A server's change of the file, and one pass that receives it.
    func receive(_ text: String, at moment: ApplierMoment, _ act: @escaping () -> Void) throws -> ContentStore {
        let content = LocalWorld.content(Array(text.utf8))
        var state = try #require(try world.record(node)?.state)
        state.payload = .file(content)
        try world.receive([node: RemoteNode(revision: Revision(2), state: state)])
        let store = [content.id: Array(text.utf8)]
        var isFirst = true
        try world.pass(store) {
            if $0 == moment, isFirst {
                isFirst = false
                act()
            }
        }
        return store
    }

    @Test(
        "whatever way a program saves, and whenever, its bytes and the server's are both there in the end",
        arguments: SaveHabit.allCases, [ApplierMoment.afterBatchSync, .beforeExchange, .afterExchange, .beforeNote])
    func saves(habit: SaveHabit, moment: ApplierMoment) throws {
        let store = try receive("from the server", at: moment) { habit.save("a", "unseen", in: self.world) }
        let before = Set(try texts())
        #expect(before.contains("unseen"))
        #expect(try world.converge(store) != nil)
        let after = Set(try texts())
        #expect(after.isSuperset(of: before), "\(before) became \(after)")
        #expect(!world.names().contains(".cairn-staging"))
        try world.scan()
        #expect(try world.overlay.isEmpty)
    }

    @Test(
        "a folder put in the place of a file before any step stays with all that is in it",
        arguments: [ApplierMoment.beforeRemove, .beforeMove, .beforePark, .beforeAttributes])
    func folderInPlace(moment: ApplierMoment) throws {
        let step: LocalAction.Step =
            switch moment {
            case .beforeRemove: .remove
            case .beforeMove: .move(to: try placement("b"))
            case .beforePark: .park
            default: .setAttributes(mode: 0o600, modified: Timestamp(nanoseconds: 5))
            }
        let applier = try world.applier {
            guard $0 == moment else { return }
            self.world.remove("a")
            self.world.makeFolder("a")
            self.world.write("a/inner", "unseen")
        }
        #expect(try applier.perform([world.action(node, step)]).problems.map(\.code) == [.changedMeanwhile])
        #expect(world.read("a/inner") == "unseen")
        #expect(world.names().filter { !$0.hasPrefix(".") } == ["a"])
        try world.sync()
        #expect(try world.node("a/inner") != nil)
    }

    @Test("files for a folder that is renamed meanwhile go into it, under its new name")
    func renamedFolder() throws {
        world.makeFolder("f")
        try world.sync()
        let folder = try #require(try world.node("f"))
        var count = 0
        let applier = try world.applier {
            guard $0 == .beforePlace else { return }
            count += 1
            if count == 2 { self.world.move("f", "g") }
        }
        let numbers = [UInt64](1...3)
        let staged = try numbers.map { try world.stage(applier, world.node($0), "\($0)", "\($0)", parent: folder) }
        let actions = try zip(numbers, staged).map { try world.action(world.node($0), .placeFile($1.1)) }
        let files = Dictionary(uniqueKeysWithValues: zip(numbers, staged).map { (world.node($0), $1.0) })
        #expect(try applier.perform(actions, files: files).problems == [])
        try applier.finish()
        try world.scan()
        #expect(world.names("g") == ["1", "2", "3"])
        #expect(try world.node("g") == folder)
        #expect(try world.node("g/3") == world.node(3))
        #expect(try world.readChanged() == 0)
    }

    @Test("what is taken out of the linked folder while steps are under way is not removed any more")
    func takenOut() throws {
        world.makeFolder("f")
        for name in ["f/one", "f/two"] { world.write(name, name) }
        try world.sync()
        let ids = try ["f/one", "f/two"].map { try #require(try world.node($0)) }
        let outside = world.directory.appending("outside")
        let applier = try world.applier {
            if $0 == .afterRemove { rename(self.world.path("f"), outside) }
        }
        let report = try applier.perform(ids.map { try world.action($0, .remove) })
        #expect(report.outcomes.first == .done)
        #expect(report.problems.map(\.code) == [.notFound])
        #expect(try FileManager.default.contentsOfDirectory(atPath: outside) == ["two"])
    }

    @Test("an inode number that is used again does not make a new file the old one, but for a born one")
    func reusedInode() throws {
        try world.database.write { connection in
            var record = try #require(try SyncedQueries(connection, link: world.link.id).record(of: node))
            record.fingerprint.born -= 1
            try SyncedQueries(connection, link: world.link.id).put([record])
        }
        world.move("a", "b")
        let sent = try world.sync()
        #expect(try world.node("b") != node)
        #expect(sent[node]?.state == nil)
        #expect(sent.count == 2)
    }

    @Test("a file placed with the time of this very moment is looked at again")
    func placedNow() throws {
        world.clock = ShiftedClock(shift: .zero)
        let applier = try world.applier()
        var (file, state) = try world.stage(applier, world.node(1), "new", "bytes")
        let path = world.path(".cairn-staging/\(file.name.text)")
        state.modified = SystemWallClock().now()
        cairn_set_times(AT_FDCWD, path, state.modified.nanoseconds)
        let found = try #require(try file.area.status(file.name))
        file = StagedFile(area: file.area, name: file.name, fingerprint: found)
        _ = try applier.perform([world.action(world.node(1), .placeFile(state))], files: [world.node(1): file])
        #expect(try world.record(world.node(1))?.isRacy == true)
        #expect(try world.scan().changes >= 1)
    }

    @Test("the other name of a file keeps its bytes when the one is replaced or removed", arguments: [true, false])
    func hardLinks(isReplaced: Bool) throws {
        Glibc.link(world.path("a"), world.path("b"))
        try world.sync()
        let applier = try world.applier()
        if isReplaced {
            let (file, state) = try world.stage(applier, node, "a", "from the server")
            #expect(try applier.perform([world.action(node, .placeFile(state))], files: [node: file]).problems == [])
        } else {
            #expect(try applier.perform([world.action(node, .remove)]).problems == [])
        }
        try applier.finish()
        #expect(world.read("b") == "seen")
        #expect(world.read("a") == (isReplaced ? "from the server" : nil))
        try world.sync()
        #expect(try world.node("b") != nil)
    }

    @Test("what is written through another name of the file is kept", arguments: [true, false])
    func writtenThroughLink(isReplaced: Bool) throws {
        Glibc.link(world.path("a"), world.path("b"))
        try world.sync()
        let applier = try world.applier {
            if $0 == .beforeExchange || $0 == .beforeRemove { self.world.write("b", "unseen") }
        }
        let (file, state) = try world.stage(applier, node, "a", "from the server")
        let step: LocalAction.Step = isReplaced ? .placeFile(state) : .remove
        let report = try applier.perform([world.action(node, step)], files: [node: file])
        #expect(isReplaced ? report.kept.count == 1 : report.problems.count == 1)
        #expect(try texts().filter { $0 == "unseen" }.count == 2)
    }

    @Test("a file that a program has mapped for writing is in use, though it closed it", arguments: [true, false])
    func mapped(isMappedLate: Bool) throws {
        var map: UnsafeMutableRawPointer?
        func open() {
            let file = cairn_openat(AT_FDCWD, world.path("a"), O_RDWR, 0)
            map = mmap(nil, 4, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
            close(file)
        }
        if !isMappedLate { open() }
        let applier = try world.applier { if $0 == .beforeExchange, isMappedLate { open() } }
        let (file, state) = try world.stage(applier, node, "a", "from the server")
        let report = try applier.perform([world.action(node, .placeFile(state))], files: [node: file])
        let mapped = try #require(map)
        mapped.copyMemory(from: Array("LATE".utf8), byteCount: 4)
        munmap(mapped, 4)
        #expect(report.problems.map(\.code) == (isMappedLate ? [] : [.inUse]))
        #expect(try texts().contains("LATE"))
    }

    @Test("no file is read through a link that took the place of its folder")
    func swappedForReading() throws {
        world.makeFolder("f")
        world.write("f/file", "inside")
        let outside = world.directory.appending("outside")
        rename(world.path("f"), outside)
        symlink(outside, world.path("f"))
        let reader = ContentReader(folder: try world.opened, database: world.database, clock: world.clock)
        let error = #expect(throws: ClientError.self) {
            try reader.read(
                LocalPath(bytes: Array("f/file".utf8)), expecting: nil, using: &world.generator)
        }
        #expect(error?.code == .notFolder)
    }

    @Test("a clock that goes back hides no edit, and has nothing read for ever", arguments: [3600, -3600])
    func clock(seconds: Int) throws {
        world.clock = ShiftedClock(shift: .seconds(seconds))
        world.write("b", "one")
        try world.sync()
        world.clock = ShiftedClock()
        try world.sync()
        #expect(try world.scan().changes == 0)
        world.clock = ShiftedClock(shift: .seconds(-7200))
        world.write("b", "two")
        let other = try #require(try world.node("b"))
        #expect(try world.sync()[other]?.state?.payload == .file(LocalWorld.content(Array("two".utf8))))
        world.write("b", Array("old".utf8), modified: 1_000_000_000)
        #expect(try world.sync()[other]?.state?.modified == Timestamp(nanoseconds: 1_000_000_000))
    }

    @Test("a linked folder that goes away under a scan is not one in which everything was removed")
    func goneUnderScan() throws {
        world.makeFolder("f")
        world.write("f/file", "one")
        try world.sync()
        // The handle stays; the folder at the path is another one by the time of the scan.
        let scanner = Scanner(
            folder: try world.opened, link: world.link, database: world.database, clock: world.clock)
        rename(world.root, world.directory.appending("away"))
        mkdir(world.root, 0o755)
        let away = world.directory.appending("away")
        try FileManager.default.removeItem(atPath: away + "/f")
        let error = #expect(throws: ClientError.self) { try scanner.scan(.full, using: SeededGenerator(seed: 1)) }
        #expect(error?.code == .folderReplaced)
        #expect(try world.overlay.isEmpty)
    }

    @Test("what something is mounted over is hidden, not removed; an empty folder is a mount point like any other")
    func mountedOver() throws {
        for name in ["full", "empty"] { world.makeFolder(name) }
        world.write("full/file", "one")
        try world.sync()
        for name in ["full", "empty"] {
            guard mount("tmpfs", world.path(name), "tmpfs", 0, "size=1m") == 0 else { return }
            world.write("\(name)/new", name)
        }
        defer { for name in ["full", "empty"] { umount2(world.path(name), Int32(MNT_DETACH)) } }
        let report = try world.scan()
        #expect(report.problems.map(\.path.description) == ["full"])
        #expect(report.problems.map(\.code) == [.folderReplaced])
        #expect(try world.node("full/file") != nil)
        #expect(try world.node("empty/new") != nil || world.readChanged() == 1)
    }

    @Test("a disk that is full at any one moment loses nothing, and the next pass goes on")
    func diskFull() throws {
        var count = 1
        while true {
            let scene = try ApplierCrashTests.Scene()
            var (left, last) = (count, "")
            do {
                try scene.world.pass(scene.store) { moment in
                    // What a call would have done is not done.
                    guard "\(moment)".hasPrefix("before") else { return }
                    left -= 1
                    last = "\(moment)"
                    if left == 0 { throw ClientError(.diskFull, "no space left", errno: ENOSPC) }
                }
            } catch let error as ClientError where error.code == .diskFull {}
            if left > 0 { break }
            let moment = Comment("full at moment \(count), \(last)")
            _ = try scene.world.applier().recover()
            let values = Set(try scene.texts().values)
            for kept in ["was x", "was y", "one", "two", "moves", "mode"] { #expect(values.contains(kept), moment) }
            #expect(try scene.world.converge(scene.store) != nil, moment)
            let found = try scene.texts()
            #expect(found == ApplierCrashTests.Scene.after, moment)
            count += 1
        }
        #expect(count > 15)
    }
}
