import Model
import SyncPlanning
import Testing

/// What only one side changed, and what both changed alike.
@Suite struct OneSideScenarios {
    @Test("nothing differs: an empty plan, also with entries that say what everybody knows")
    func nothing() throws {
        let same = Scenario().synced(1, file(1, "a")).local(1, file(1, "a"))
        #expect(try same.plan() == Plan())
        #expect(try Scenario().plan().isEmpty)
    }

    @Test("a new remote folder with a file and a link comes, the folder first")
    func remoteNew() throws {
        let plan = try Scenario()
            .remote(1, file(1, "f", in: 3)).remote(2, link("t", "l", in: 3)).remote(3, folder("d")).plan()
        #expect(
            plan
                == Plan()
                .doing(.make(3, folder("d")), .make(1, file(1, "f", in: 3)), .make(2, link("t", "l", in: 3)))
                .settling(1, file(1, "f", in: 3)).settling(2, link("t", "l", in: 3)).settling(3, folder("d")))
    }

    @Test("a new local folder with a file goes, the folder first, with base 0")
    func localNew() throws {
        let plan = try Scenario().local(1, file(1, "f", in: 3)).local(3, folder("d")).plan()
        #expect(plan == Plan().sending(.to(folder("d"), 3, base: 0)).sending(.to(file(1, "f", in: 3), 1, base: 0)))
    }

    @Test("remote bytes replace the local ones that were agreed on")
    func remoteWrite() throws {
        let (old, new) = (file(1, "a"), file(2, "a", at: 9))
        let plan = try Scenario().synced(1, old).remote(1, new).plan()
        #expect(plan == Plan().doing(.replace(1, old, by: new)).settling(1, new))
    }

    @Test("local bytes go with the agreed revision as base")
    func localWrite() throws {
        let plan = try Scenario().synced(1, file(1, "a")).local(1, file(2, "a", at: 9)).plan()
        #expect(plan == Plan().sending(.to(file(2, "a", at: 9), 1, base: 1)))
    }

    @Test("a remote move and a remote mode become a move and a setting, in this order")
    func remoteMove() throws {
        let (old, new) = (file(1, "a"), file(1, "b", in: 2, mode: 0o600))
        let plan = try Scenario().synced(1, old).synced(2, folder("d")).remote(1, new).plan()
        #expect(
            plan
                == Plan()
                .doing(
                    .move(1, old, to: "b", in: 2), .attributes(1, file(1, "b", in: 2), mode: 0o600, at: 0)
                )
                .settling(1, new))
    }

    @Test("what the server removed goes, what is in a folder before the folder")
    func remoteRemoval() throws {
        let plan = try Scenario().synced(1, folder("d")).synced(2, file(1, "f", in: 1))
            .remote(1, nil).remote(2, nil).plan()
        #expect(
            plan
                == Plan().doing(.remove(2, file(1, "f", in: 1)), .remove(1, folder("d")))
                .settling(1, nil).settling(2, nil))
    }

    @Test("what is gone from the disk is removed on the server, what is in a folder before the folder")
    func localRemoval() throws {
        let plan = try Scenario().synced(1, folder("d")).synced(2, file(1, "f", in: 1))
            .local(1, nil).local(2, nil).plan()
        #expect(plan == Plan().sending(.to(nil, 2, base: 1)).sending(.to(nil, 1, base: 1)))
    }

    @Test("both did the same: it is settled, nothing is moved")
    func same() throws {
        let both = Scenario().synced(1, file(1, "a")).synced(2, file(3, "b"))
        let plan = try both.remote(1, file(2, "c")).local(1, file(2, "c")).remote(2, nil).local(2, nil).plan()
        #expect(plan == Plan().settling(1, file(2, "c")).settling(2, nil))
    }

    @Test("a change that was changed back is settled for its revision")
    func changedBack() throws {
        let plan = try Scenario().synced(1, file(1, "a")).remote(1, file(1, "a")).plan()
        #expect(plan == Plan().settling(1, file(1, "a")))
    }

    @Test("times of folders and modes of links mean nothing")
    func meaningless() throws {
        var touched = folder("d")
        touched.modified = Timestamp(nanoseconds: 5)
        let plan = try Scenario().synced(1, folder("d")).synced(2, link("t", "l"))
            .local(1, touched).local(2, link("t", "l", mode: 0o644)).plan()
        #expect(plan == Plan())
    }

    @Test("a file that became a link is replaced under the same id")
    func fileToLink() throws {
        let plan = try Scenario().synced(1, file(1, "a")).remote(1, link("t", "a")).plan()
        #expect(plan == Plan().doing(.replace(1, file(1, "a"), by: link("t", "a"))).settling(1, link("t", "a")))
    }

    @Test("a tombstone of what was never here is nothing")
    func strangeTombstone() throws {
        #expect(try Scenario().remote(1, nil).plan() == Plan())
    }
}
