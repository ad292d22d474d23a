import CLinux
import Foundation
import Glibc
import Model
import SyncPlanning
import TestSupport
import Testing

@testable import SyncClient

/// Another program acts at the worst moment of a step. Whatever it wrote is still there afterwards, whole.
@Suite("Programs that write while the client does")
struct ApplierRaceTests {
    let world: LocalWorld
    let node: NodeID

    init() throws {
        world = try LocalWorld()
        world.write("a", "seen")
        try world.sync()
        node = try #require(try world.node("a"))
    }

    /// Performs one step on the file, with another program at work at one moment of it.
    func perform(
        _ step: LocalAction.Step, at moment: ApplierMoment, _ act: @escaping () -> Void
    ) throws -> ApplierReport {
        let applier = try world.applier { if $0 == moment { act() } }
        var (files, step): ([NodeID: StagedFile], LocalAction.Step) = ([:], step)
        if case .placeFile = step {
            let (file, state) = try world.stage(applier, node, "a", "from the server")
            (files, step) = ([node: file], .placeFile(state))
        }
        let report = try applier.perform([world.action(node, step)], files: files)
        try applier.finish()
        #expect(!world.names().contains(".cairn-staging"))
        return report
    }

    var place: LocalAction.Step { get throws { .placeFile(try #require(try world.record(node)?.state)) } }

    /// The bytes of all files in the folder.
    func found() -> Set<String> { Set(world.names().compactMap { world.read($0) }) }

    @Test("bytes written between the look and the swap are kept beside the new file")
    func writtenBeforeExchange() throws {
        let report = try perform(place, at: .beforeExchange) { self.world.write("a", "unseen") }
        #expect(report.kept.map(\.path.description) == ["a"])
        #expect(report.kept.map(\.kept.description) == ["a (conflicted copy laptop 2026-01-02)"])
        #expect(world.read("a") == "from the server")
        #expect(world.read("a (conflicted copy laptop 2026-01-02)") == "unseen")
        #expect(try world.sync().count >= 1)
    }

    @Test("bytes that changed without a new size are kept by their time")
    func sameSize() throws {
        _ = try perform(place, at: .beforeExchange) { self.world.write("a", "SEEN") }
        #expect(found() == ["from the server", "SEEN"])
    }

    @Test("a program that opened the file just before the swap goes on writing into what is kept")
    func openAcrossExchange() throws {
        var file: UnsafeMutablePointer<FILE>?
        let report = try perform(place, at: .beforeExchange) { file = fopen(self.world.path("a"), "r+") }
        let writer = try #require(file)
        fputs("late", writer)
        fclose(writer)
        #expect(report.kept.count == 1)
        #expect(found() == ["from the server", "late"])
    }

    @Test("a file saved by renaming between the look and the swap is kept")
    func savedBeforeExchange() throws {
        _ = try perform(place, at: .beforeExchange) {
            self.world.write("tmp", "unseen")
            self.world.move("tmp", "a")
        }
        #expect(found() == ["from the server", "unseen"])
    }

    @Test("a folder put in the place of the file is kept with all that is in it")
    func folderBeforeExchange() throws {
        let report = try perform(place, at: .beforeExchange) {
            self.world.remove("a")
            self.world.makeFolder("a")
            self.world.write("a/inner", "unseen")
        }
        #expect(report.kept.count == 1)
        #expect(world.read("a") == "from the server")
        #expect(world.read("a (conflicted copy laptop 2026-01-02)/inner") == "unseen")
    }

    @Test("a file that is removed before the swap stays removed until the next plan")
    func removedBeforeExchange() throws {
        let report = try perform(place, at: .beforeExchange) { self.world.remove("a") }
        #expect(report.problems.map(\.code) == [.notFound])
        #expect(world.names() == [])
    }

    @Test("what is written to the new file right after the swap is a change of the user")
    func writtenAfterExchange() throws {
        _ = try perform(place, at: .afterExchange) { self.world.write("a", "unseen") }
        #expect(world.read("a") == "unseen")
        let sent = try world.sync()
        #expect(sent[node]?.state?.payload == .file(LocalWorld.content(Array("unseen".utf8))))
    }

    @Test("names of kept files that are taken are passed over")
    func keptTwice() throws {
        world.write("a (conflicted copy laptop 2026-01-02)", "there already")
        _ = try perform(place, at: .beforeExchange) { self.world.write("a", "unseen") }
        #expect(found() == ["from the server", "unseen", "there already"])
        #expect(world.read("a (conflicted copy laptop 2026-01-02) 2") == "unseen")
    }

    @Test("a kept folder gets the name of a folder, a kept file keeps its ending", arguments: [true, false])
    func keptName(isFolder: Bool) throws {
        world.move("a", "a.tar.gz")
        try world.sync()
        let applier = try world.applier { moment in
            guard moment == .beforeExchange else { return }
            self.world.remove("a.tar.gz")
            if isFolder { self.world.makeFolder("a.tar.gz") } else { self.world.write("a.tar.gz", "unseen") }
        }
        let (file, state) = try world.stage(applier, node, "a.tar.gz", "from the server")
        let report = try applier.perform([world.action(node, .placeFile(state))], files: [node: file])
        let mark = " (conflicted copy laptop 2026-01-02)"
        #expect(report.kept.map(\.kept.description) == [isFolder ? "a.tar.gz\(mark)" : "a\(mark).tar.gz"])
        #expect(world.names().filter { !$0.hasPrefix(".") } == [report.kept[0].kept.description, "a.tar.gz"].sorted())
    }

    @Test("a new file that appears in an empty place is not replaced")
    func appeared() throws {
        let applier = try world.applier { if $0 == .beforePlace { self.world.write("b", "unseen") } }
        let (file, state) = try world.stage(applier, world.node(1), "b", "from the server")
        let report = try applier.perform(
            [world.action(world.node(1), .placeFile(state))], files: [world.node(1): file])
        #expect(report.problems.map(\.code) == [.alreadyExists])
        #expect(world.read("b") == "unseen")
    }

    @Test("bytes written just before a removal go back to their place")
    func writtenBeforeRemoval() throws {
        let report = try perform(.remove, at: .beforeRemove) { self.world.write("a", "unseen") }
        #expect(report.problems.map(\.code) == [.changedMeanwhile])
        #expect(world.names() == ["a"])
        #expect(world.read("a") == "unseen")
    }

    @Test("a file opened for writing just before its removal goes back to its place")
    func openBeforeRemoval() throws {
        var file: UnsafeMutablePointer<FILE>?
        let report = try perform(.remove, at: .beforeRemove) { file = fopen(self.world.path("a"), "r+") }
        let writer = try #require(file)
        fputs("late", writer)
        fclose(writer)
        #expect(report.problems.map(\.code) == [.changedMeanwhile])
        #expect(world.read("a") == "late")
    }

    @Test("if the place was filled meanwhile, what was to be removed and had changed is kept beside")
    func filledDuringRemoval() throws {
        let opened = world
        let applier = try world.applier { moment in
            if moment == .beforeRemove { opened.write("a", "unseen") }
            if moment == .afterSetAside { opened.write("a", "new there") }
        }
        let report = try applier.perform([world.action(node, .remove)])
        #expect(report.problems.count == 1)
        #expect(found() == ["unseen", "new there"])
    }

    @Test("a file that gets new bytes while it is moved has to be read again at its new place")
    func writtenDuringMove() throws {
        let target = Placement(parent: .root, name: try NodeName("b"))
        let report = try perform(.move(to: target), at: .beforeMove) { self.world.write("a", "unseen") }
        #expect(report.problems == [])
        #expect(world.read("b") == "unseen")
        #expect(try world.readChanged() == 1)
        #expect(try world.overlay[node]?.state?.payload.content == LocalWorld.content(Array("unseen".utf8)))
    }

    @Test("another file put in the place just before a move goes back")
    func replacedDuringMove() throws {
        let target = Placement(parent: .root, name: try NodeName("b"))
        let report = try perform(.move(to: target), at: .beforeMove) {
            self.world.move("a", "elsewhere")
            self.world.write("a", "unseen")
        }
        #expect(report.problems.map(\.code) == [.changedMeanwhile])
        #expect(world.read("a") == "unseen")
        #expect(world.read("elsewhere") == "seen")
    }

    @Test("a write right after the look does not vanish behind a time that is set")
    func writtenBeforeAttributes() throws {
        let time = Timestamp(nanoseconds: 1_300_000_000_000_000_000)
        let report = try perform(.setAttributes(mode: 0o600, modified: time), at: .beforeAttributes) {
            self.world.write("a", "SEEN")
        }
        #expect(report.problems.map(\.code) == [.changedMeanwhile])
        #expect(try world.sync()[node]?.state?.payload == .file(LocalWorld.content(Array("SEEN".utf8))))
    }

    @Test("while a time is set, nobody opens the file for writing unseen")
    func heldForAttributes() throws {
        let time = Timestamp(nanoseconds: 1_300_000_000_000_000_000)
        var opened: (descriptor: Int32, number: Int32) = (0, 0)
        let report = try perform(.setAttributes(mode: 0o600, modified: time), at: .afterAttributes) {
            opened.descriptor = open(self.world.path("a"), O_WRONLY | O_NONBLOCK)
            opened.number = errno
        }
        #expect(report.problems == [])
        #expect(opened.descriptor == -1)
        #expect(opened.number == EWOULDBLOCK)
    }

    @Test("a folder that something was put into just before its removal stays")
    func filledFolder() throws {
        world.makeFolder("f")
        try world.sync()
        let folder = try #require(try world.node("f"))
        let applier = try world.applier { if $0 == .beforeRemove { self.world.write("f/new", "unseen") } }
        #expect(try applier.perform([world.action(folder, .remove)]).problems.map(\.code) == [.folderNotEmpty])
        #expect(world.read("f/new") == "unseen")
    }
}
