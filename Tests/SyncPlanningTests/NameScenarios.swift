import Model
import SyncPlanning
import Testing

/// Two nodes that want one name, and the order of steps around names.
@Suite struct NameScenarios {
    let mark: NodeName = "a (conflicted copy laptop 2026-01-02)"

    @Test("folders of one name merge, and what is in them takes part: equal files become one, others are copied")
    func foldersMerge() throws {
        let plan = try Scenario()
            .remote(1, folder("d")).remote(2, file(1, "same", in: 1)).remote(3, file(2, "a", in: 1))
            .local(11, folder("d")).local(12, file(1, "same", in: 11)).local(13, file(3, "a", in: 11)).plan()
        #expect(
            plan
                == Plan().identifying(11, as: 1).identifying(12, as: 2)
                .doing(.move(13, file(3, "a", in: 1), to: mark, in: 1), .make(3, file(2, "a", in: 1)))
                .settling(1, folder("d")).settling(2, file(1, "same", in: 1)).settling(3, file(2, "a", in: 1))
                .resolving(3, over: 13, as: mark))
    }

    @Test("an adopted node takes the remote mode")
    func adoptedMode() throws {
        let plan = try Scenario().remote(1, file(1, "a", mode: 0o600)).local(11, file(1, "a", at: 4)).plan()
        #expect(
            plan
                == Plan().identifying(11, as: 1).doing(.attributes(1, file(1, "a", at: 4), mode: 0o600, at: 0))
                .settling(1, file(1, "a", mode: 0o600)))
    }

    @Test("a folder made again in the place of the one removed is that one")
    func madeAgain() throws {
        let start = Scenario().synced(1, folder("d")).local(1, nil).local(11, folder("d"))
        #expect(try start.plan() == Plan().identifying(11, as: 1))
    }

    @Test("what the server made again in the place of what it removed is taken for what lies there")
    func madeAgainThere() throws {
        let plan = try Scenario().synced(1, file(1, "a")).remote(1, nil).remote(2, file(1, "a")).plan()
        #expect(plan == Plan().identifying(1, as: 2).settling(1, nil).settling(2, file(1, "a")))
    }

    @Test("a file and a folder of one name: the local one is renamed, with all that is in it, and goes later")
    func kindsDiffer() throws {
        let plan = try Scenario().remote(1, file(1, "a")).local(11, folder("a")).local(12, file(2, "f", in: 11)).plan()
        #expect(
            plan
                == Plan().doing(.move(11, folder("a"), to: mark), .make(1, file(1, "a")))
                .settling(1, file(1, "a")).resolving(1, over: 11, as: mark))
    }

    @Test("a local move onto a name that a remote node took: the moved one is renamed")
    func movedOntoTaken() throws {
        let plan = try Scenario().synced(1, file(1, "b")).remote(2, file(2, "a")).local(1, file(1, "a")).plan()
        #expect(
            plan
                == Plan().doing(.move(1, file(1, "a"), to: mark), .make(2, file(2, "a")))
                .settling(2, file(2, "a")).resolving(2, over: 1, as: mark))
    }

    @Test("a name that a folder takes back for its survivor is not left to the local newcomer")
    func restoredFolderKeepsName() throws {
        let plan = try Scenario().synced(1, folder("a")).local(1, nil).local(11, file(2, "a"))
            .remote(2, file(1, "f", in: 1)).plan()
        #expect(
            plan
                == Plan().doing(
                    .move(11, file(2, "a"), to: mark), .make(1, folder("a")), .make(2, file(1, "f", in: 1))
                )
                .settling(2, file(1, "f", in: 1)).resolving(1, over: 11, as: mark))
    }

    @Test("two files that changed names there: one is parked on the way")
    func remoteSwap() throws {
        let plan = try Scenario().synced(1, file(1, "a")).synced(2, file(2, "b"))
            .remote(1, file(1, "b")).remote(2, file(2, "a")).plan()
        #expect(
            plan
                == Plan().doing(
                    .park(1, file(1, "a")), .move(2, file(2, "b"), to: "a"), .unpark(1, file(1, "a"), to: "b")
                )
                .settling(1, file(1, "b")).settling(2, file(2, "a")))
    }

    @Test("two files that changed names here go in one group")
    func localSwap() throws {
        let plan = try Scenario().synced(1, file(1, "a")).synced(2, file(2, "b"))
            .local(1, file(1, "b")).local(2, file(2, "a")).plan()
        #expect(plan == Plan().sending(.to(file(1, "b"), 1, base: 1), .to(file(2, "a"), 2, base: 1)))
    }

    @Test("a chain of renames needs no parking, from its free end")
    func chain() throws {
        let plan = try Scenario().synced(1, file(1, "a")).synced(2, file(2, "b")).synced(3, file(3, "c"))
            .remote(1, file(1, "b")).remote(2, file(2, "c")).remote(3, file(3, "d")).plan()
        #expect(
            plan.local == [
                .move(3, file(3, "c"), to: "d"), .move(2, file(2, "b"), to: "c"), .move(1, file(1, "a"), to: "b"),
            ])
    }

    @Test("a folder and what is in it change places")
    func insideOut() throws {
        let plan = try Scenario().synced(1, folder("a")).synced(2, folder("b", in: 1))
            .remote(2, folder("a")).remote(1, folder("b", in: 2)).plan()
        #expect(
            plan.local == [
                .park(1, folder("a")), .move(2, folder("b", in: 1), to: "a"), .unpark(1, folder("a"), to: "b", in: 2),
            ])
    }

    @Test("a file takes the place of a removed folder after all in it is gone")
    func folderBecomesFile() throws {
        let plan = try Scenario().synced(1, folder("a")).synced(2, file(1, "f", in: 1))
            .remote(1, nil).remote(2, nil).remote(3, file(2, "a")).plan()
        #expect(
            plan.local == [.remove(2, file(1, "f", in: 1)), .remove(1, folder("a")), .make(3, file(2, "a"))])
    }

    @Test("what was parked goes where the server has it, else where it was, else it goes as it was to")
    func parked() throws {
        let start = Scenario().synced(1, file(1, "a"))
        #expect(try start.parked(1, file(1, "a")).plan() == Plan().doing(.unpark(1, file(1, "a"), to: "a")))
        let moved = try start.parked(1, file(1, "a")).remote(1, file(1, "b")).plan()
        #expect(moved == Plan().doing(.unpark(1, file(1, "a"), to: "b")).settling(1, file(1, "b")))
        let movedBefore = try start.parked(1, file(1, "z")).plan()
        #expect(movedBefore == Plan().doing(.unpark(1, file(1, "z"), to: "a")))
        let gone = try start.parked(1, file(1, "a")).remote(1, nil).plan()
        let removal = LocalAction(node: 1, before: .parked(file(1, "a")), step: .remove)
        #expect(gone == Plan().doing(removal).settling(1, nil))
        let stray = try Scenario().parked(5, file(1, "a", in: 77)).plan()
        #expect(stray == Plan().doing(.unpark(5, file(1, "a", in: 77), to: "a")))
    }

    @Test("what was parked and is known nowhere else gives way to what nobody touched")
    func parkedMeetsUntouched() throws {
        let plan = try Scenario().synced(1, file(1, "a")).parked(5, file(2, "a")).plan()
        #expect(plan == Plan().doing(.unpark(5, file(2, "a"), to: mark)).resolving(1, over: 5, as: mark))
    }

    @Test("folders that a cut plan left parked around each other come out at the root")
    func parkedRing() throws {
        let plan = try Scenario().parked(5, folder("p", in: 6)).local(6, folder("q", in: 5)).plan()
        #expect(plan == Plan().doing(.unpark(5, folder("p", in: 6), to: "p")))
    }

    @Test("a child of a folder that has to be renamed first waits with it; others do not")
    func heldBack() throws {
        let plan = try Scenario().remote(1, file(1, "a")).local(11, folder("a")).local(12, file(2, "f", in: 11))
            .local(13, file(3, "free")).plan()
        #expect(plan.remote == [[.to(file(3, "free"), 13, base: 0)]])
    }
}
