import Model
import SyncPlanning
import Testing

/// What both sides changed in one node.
@Suite struct MergeScenarios {
    @Test("a local move and remote bytes merge: the bytes come, the move goes with the next plan")
    func facetsMerge() throws {
        let start = Scenario().synced(1, file(1, "a")).remote(1, file(2, "a", at: 9))
        let first = try start.local(1, file(1, "b")).plan()
        #expect(
            first
                == Plan().doing(.replace(1, file(1, "b"), by: file(2, "b", at: 9))).settling(1, file(2, "a", at: 9)))
        let second = try start.local(1, file(2, "b", at: 9)).plan()
        #expect(second == Plan().sending(.to(file(2, "b", at: 9), 1, base: 2)).settling(1, file(2, "a", at: 9)))
    }

    @Test("a remote mode and local bytes merge; the time goes with the bytes")
    func modeAndBytes() throws {
        let plan = try Scenario().synced(1, file(1, "a")).remote(1, file(1, "a", mode: 0o600, at: 5))
            .local(1, file(2, "a", at: 9)).plan()
        #expect(
            plan
                == Plan().doing(.attributes(1, file(2, "a", at: 9), mode: 0o600, at: 9))
                .settling(1, file(1, "a", mode: 0o600, at: 5)))
    }

    @Test("of two moves, modes and times the remote one holds")
    func remoteWins() throws {
        let (there, here) = (file(1, "b", mode: 0o600, at: 5), file(1, "c", mode: 0o755, at: 6))
        let plan = try Scenario().synced(1, file(1, "a")).remote(1, there).local(1, here).plan()
        #expect(
            plan
                == Plan().doing(
                    .move(1, here, to: "b"), .attributes(1, file(1, "b", mode: 0o755, at: 6), mode: 0o600, at: 5)
                )
                .settling(1, there))
    }

    @Test("of two contents the remote one keeps the node, the local one becomes a copy, which goes with the next plan")
    func contents() throws {
        let (there, here) = (file(2, "a.txt", at: 5), file(3, "a.txt", at: 6))
        let name: NodeName = "a (conflicted copy laptop 2026-01-02).txt"
        let start = Scenario().synced(1, file(1, "a.txt")).remote(1, there)
        let plan = try start.local(1, here).plan()
        #expect(
            plan
                == Plan().identifying(1, as: Scenario.copy)
                .doing(.move(Scenario.copy, here, to: name), .make(1, there))
                .settling(1, there).resolving(1, over: Scenario.copy, as: name))
        let copied = file(3, name, at: 6)
        let second = try start.local(1, there).local(Scenario.copy, copied).plan()
        #expect(second == Plan().sending(.to(copied, Scenario.copy, base: 0)).settling(1, there))
    }

    @Test("the copy lies beside the node, wherever that was moved")
    func copyBeside() throws {
        let there = file(2, "b", in: 2)
        let plan = try Scenario().synced(1, file(1, "a")).synced(2, folder("d")).remote(1, there)
            .local(1, file(3, "a")).plan()
        let name: NodeName = "b (conflicted copy laptop 2026-01-02)"
        #expect(
            plan
                == Plan().identifying(1, as: Scenario.copy)
                .doing(.make(1, there), .move(Scenario.copy, file(3, "a"), to: name, in: 2))
                .settling(1, there).resolving(1, over: Scenario.copy, as: name))
    }

    @Test("a conflict that was interrupted behind the new identity goes on to the same end")
    func interruptedConflict() throws {
        let (there, here) = (file(2, "a"), file(3, "a"))
        let plan = try Scenario().synced(1, file(1, "a")).remote(1, there).local(1, nil).local(7, here).plan()
        let name: NodeName = "a (conflicted copy laptop 2026-01-02)"
        #expect(
            plan
                == Plan().doing(.move(7, here, to: name), .make(1, there)).settling(1, there)
                .resolving(1, over: 7, as: name))
    }

    @Test("a second conflict of one day gets a number, whichever tree has the first")
    func secondConflict() throws {
        let first: NodeName = "a (conflicted copy laptop 2026-01-02)"
        let second: NodeName = "a (conflicted copy laptop 2026-01-02) 2"
        let start = Scenario().synced(1, file(1, "a")).remote(1, file(2, "a")).local(1, file(3, "a"))
        for taken in [start.synced(2, file(9, first)), start.remote(2, file(9, first)), start.local(2, file(9, first))]
        {
            #expect(try taken.plan().conflicts.map(\.name) == [second])
        }
    }

    @Test("a name that the disk still has is taken, although what has it is about to leave")
    func nameAboutToBeFree() throws {
        let first: NodeName = "a (conflicted copy laptop 2026-01-02)"
        let plan = try Scenario().synced(1, file(1, "a")).remote(1, file(2, "a")).local(1, file(3, "a"))
            .synced(2, file(9, "x")).remote(2, file(9, "y")).local(2, file(9, first)).plan()
        #expect(plan.conflicts.map(\.name) == ["a (conflicted copy laptop 2026-01-02) 2"])
    }

    @Test("local bytes survive a remote removal, with the folders around them")
    func writtenAndRemoved() throws {
        let start = Scenario().synced(1, folder("d")).synced(2, folder("e", in: 1)).synced(3, file(1, "f", in: 2))
            .synced(4, file(1, "g", in: 1))
        let plan = try start.remote(1, nil).remote(2, nil).remote(3, nil).remote(4, nil)
            .local(3, file(2, "f", in: 2)).plan()
        #expect(
            plan
                == Plan().doing(.remove(4, file(1, "g", in: 1)))
                .sending(.to(folder("d"), 1, base: 2)).sending(.to(folder("e", in: 1), 2, base: 2))
                .sending(.to(file(2, "f", in: 2), 3, base: 2)).settling(4, nil))
    }

    @Test("a local move survives a remote removal, a mode does not")
    func movedAndRemoved() throws {
        let start = Scenario().synced(1, file(1, "a")).remote(1, nil)
        #expect(try start.local(1, file(1, "b")).plan() == Plan().sending(.to(file(1, "b"), 1, base: 2)))
        let touched = file(1, "a", mode: 0o600, at: 8)
        #expect(try start.local(1, touched).plan() == Plan().doing(.remove(1, touched)).settling(1, nil))
    }

    @Test("remote bytes and moves come back after a local removal, a remote mode does not")
    func removedAndChanged() throws {
        let start = Scenario().synced(1, file(1, "a")).local(1, nil)
        for there in [file(2, "a"), file(1, "b")] {
            #expect(try start.remote(1, there).plan() == Plan().doing(.make(1, there)).settling(1, there))
        }
        #expect(try start.remote(1, file(1, "a", mode: 0o600)).plan() == Plan().sending(.to(nil, 1, base: 2)))
    }

    @Test("a folder that was removed here comes back for what is new in it there, and for no more")
    func removedFolderWithNews() throws {
        let plan = try Scenario().synced(1, folder("d")).synced(2, file(1, "old", in: 1))
            .local(1, nil).local(2, nil).remote(3, file(2, "new", in: 1)).plan()
        #expect(
            plan
                == Plan().doing(.make(1, folder("d")), .make(3, file(2, "new", in: 1)))
                .sending(.to(nil, 2, base: 1)).settling(3, file(2, "new", in: 1)))
    }

    @Test("two moves that close a ring: the remote one holds, the local one is undone")
    func ring() throws {
        let start = Scenario().synced(1, folder("a")).synced(2, folder("b"))
        let plan = try start.remote(1, folder("a", in: 2)).local(2, folder("b", in: 1)).plan()
        #expect(
            plan
                == Plan().doing(.move(2, folder("b", in: 1), to: "b"), .move(1, folder("a"), to: "a", in: 2))
                .settling(1, folder("a", in: 2)))
    }

    @Test("our own commit whose answer was lost is recognised")
    func lostAnswer() throws {
        let plan = try Scenario().local(1, file(1, "a")).remote(1, file(1, "a")).plan()
        #expect(plan == Plan().settling(1, file(1, "a")))
    }
}
