import Metadata
import Model
import Testing

/// Makes a check that commits change-sets one after the other, all accepted but the last.
private func refusing(
    _ sentence: String, after accepted: [[NodeChange]], _ refused: [NodeChange], _ reasons: [UInt64: RefusalReason]
) -> MetadataConformance.Check {
    MetadataConformance.Check(sentence) { database in
        try await database.prepareHome()
        for (index, changes) in accepted.enumerated() {
            let revision = Revision(UInt64(index) + 1)
            #expect(try await database.commit(revision.number, changes).revision == revision)
        }
        let before = try await database.homeHead()
        let expected = reasons.map { Refusal(node: $0 == 0 ? .root : Fixture.node($0), reason: $1) }
            .sorted { $0.node < $1.node }
        #expect(try await database.commit(999, refused) == .refused(expected))
        #expect(try await database.homeHead() == before)
        #expect(try await database.homeFaults().isEmpty)
    }
}

private func record(_ node: UInt64, _ revision: UInt64, _ state: NodeState) -> NodeRecord {
    NodeRecord(node: Fixture.node(node), revision: Revision(revision), state: state)
}

extension MetadataConformance {
    static let commitRuleChecks: [Check] = [
        refusing(
            "an old base is refused, with what is there now",
            after: [[NodeChange(1, Fixture.file("a"))], [NodeChange(1, base: 1, Fixture.file("b"))]],
            [NodeChange(1, base: 1, Fixture.file("c"))],
            [1: .stale(current: record(1, 2, Fixture.file("b")))]),
        refusing(
            "a removal by an old base is refused",
            after: [[NodeChange(1, Fixture.file("a"))], [NodeChange(1, base: 1, Fixture.file("b"))]],
            [NodeChange(1, base: 1, nil)], [1: .stale(current: record(1, 2, Fixture.file("b")))]),
        refusing(
            "a base that is still to come is refused", after: [[NodeChange(1, Fixture.file("a"))]],
            [NodeChange(1, base: 2, Fixture.file("b"))], [1: .stale(current: record(1, 1, Fixture.file("a")))]),
        refusing(
            "what is there is not new", after: [[NodeChange(1, Fixture.file("a"))]],
            [NodeChange(1, Fixture.file("b"))], [1: .stale(current: record(1, 1, Fixture.file("a")))]),
        refusing(
            "what never was has no base and can't go", after: [],
            [NodeChange(1, base: 1, Fixture.file("a")), NodeChange(2, nil), NodeChange(3, base: 4, nil)],
            [1: .stale(current: nil), 2: .stale(current: nil), 3: .stale(current: nil)]),
        refusing(
            "an id is not used twice",
            after: [[NodeChange(1, Fixture.file("a"))], [NodeChange(1, base: 1, nil)]],
            [NodeChange(1, Fixture.file("a"))], [1: .stale(current: nil)]),
        refusing(
            "what is gone is restored by the revision that removed it, not by its last state",
            after: [[NodeChange(1, Fixture.file("a"))], [NodeChange(1, base: 1, nil)]],
            [NodeChange(1, base: 1, Fixture.file("a"))], [1: .stale(current: nil)]),
        refusing(
            "what is gone can't be removed again",
            after: [[NodeChange(1, Fixture.file("a"))], [NodeChange(1, base: 1, nil)]],
            [NodeChange(1, base: 2, nil)], [1: .stale(current: nil)]),
        refusing(
            "a restored folder does not come back as a file",
            after: [[NodeChange(1, Fixture.folder("a"))], [NodeChange(1, base: 1, nil)]],
            [NodeChange(1, base: 2, Fixture.file("a"))], [1: .kindChanged]),
        refusing(
            "a name that is taken is refused, with who has it", after: [[NodeChange(1, Fixture.file("a"))]],
            [NodeChange(2, Fixture.file("a")), NodeChange(3, Fixture.file("b"))], [2: .nameTaken(by: Fixture.node(1))]),
        refusing(
            "two new nodes can't have one name", after: [],
            [NodeChange(1, Fixture.file("a")), NodeChange(2, Fixture.folder("a"))],
            [1: .nameTaken(by: Fixture.node(2)), 2: .nameTaken(by: Fixture.node(1))]),
        refusing(
            "a parent that never was, that is a file, or that goes, is missing",
            after: [
                [NodeChange(1, Fixture.file("file")), NodeChange(2, Fixture.folder("folder"))],
                [NodeChange(3, Fixture.folder("gone"))], [NodeChange(3, base: 2, nil)],
            ],
            [
                NodeChange(2, base: 1, nil), NodeChange(4, Fixture.file("a", in: Fixture.node(1))),
                NodeChange(5, Fixture.file("a", in: Fixture.node(2))),
                NodeChange(6, Fixture.file("a", in: Fixture.node(3))),
                NodeChange(7, Fixture.file("a", in: Fixture.node(99))),
            ],
            [4: .parentMissing, 5: .parentMissing, 6: .parentMissing, 7: .parentMissing]),
        refusing(
            "a folder with an entry left in it does not go",
            after: [
                [NodeChange(1, Fixture.folder("a"))],
                [
                    NodeChange(2, Fixture.file("x", in: Fixture.node(1))),
                    NodeChange(3, Fixture.file("y", in: Fixture.node(1))),
                ],
            ],
            [NodeChange(1, base: 1, nil), NodeChange(2, base: 2, nil)], [1: .folderNotEmpty]),
        refusing(
            "an entry that is edited within a folder that goes is not left over unseen",
            after: [[NodeChange(1, Fixture.folder("a")), NodeChange(2, Fixture.file("x", in: Fixture.node(1)))]],
            [NodeChange(1, base: 1, nil), NodeChange(2, base: 1, Fixture.file("x", in: Fixture.node(1), content: 9))],
            [1: .folderNotEmpty, 2: .parentMissing]),
        refusing(
            "a folder does not go into itself, nor below itself",
            after: [
                [NodeChange(1, Fixture.folder("a")), NodeChange(4, Fixture.folder("d"))],
                [NodeChange(2, Fixture.folder("b", in: Fixture.node(1)))],
                [NodeChange(3, Fixture.folder("c", in: Fixture.node(2)))],
            ],
            [
                NodeChange(1, base: 1, Fixture.folder("a", in: Fixture.node(3))),
                NodeChange(4, base: 1, Fixture.folder("d", in: Fixture.node(4))),
            ],
            [1: .cycle, 4: .cycle]),
        refusing(
            "two folders do not go into one another",
            after: [[NodeChange(1, Fixture.folder("a")), NodeChange(2, Fixture.folder("b"))]],
            [
                NodeChange(1, base: 1, Fixture.folder("a", in: Fixture.node(2))),
                NodeChange(2, base: 1, Fixture.folder("b", in: Fixture.node(1))),
            ],
            [1: .cycle, 2: .cycle]),
        refusing(
            "a ring through a new folder is seen, also when what closes it is not changed",
            after: [
                [NodeChange(1, Fixture.folder("m"))], [NodeChange(2, Fixture.folder("q", in: Fixture.node(1)))],
                [NodeChange(3, Fixture.folder("p", in: Fixture.node(2)))],
            ],
            [
                NodeChange(1, base: 1, Fixture.folder("m", in: Fixture.node(4))),
                NodeChange(4, Fixture.folder("new", in: Fixture.node(3))),
            ],
            [1: .cycle, 4: .cycle]),
        refusing(
            "a folder stays a folder, and what is none becomes none",
            after: [[NodeChange(1, Fixture.folder("a")), NodeChange(2, Fixture.file("b"))]],
            [NodeChange(1, base: 1, Fixture.file("a")), NodeChange(2, base: 1, Fixture.folder("b"))],
            [1: .kindChanged, 2: .kindChanged]),
        refusing(
            "the root can't be changed or removed, and what else is wrong is named too",
            after: [], [NodeChange(node: .root, base: .zero, state: nil), NodeChange(1, base: 3, Fixture.file("a"))],
            [0: .kindChanged, 1: .stale(current: nil)]),
    ]
}
