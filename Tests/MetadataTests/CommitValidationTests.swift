import Metadata
import MetadataConformance
import Model
import TestSupport
import Testing

/// The surroundings of a change-set as a model has them: far more than is asked for.
private func surroundings(_ model: TreeModel) -> CommitSurroundings {
    var surroundings = CommitSurroundings(histories: model.histories)
    for record in model.tree.values {
        surroundings.occupants[NodePlace(parent: record.state.parent, name: record.state.name)] = record.node
        surroundings.entryCounts[record.state.parent, default: 0] += 1
    }
    return surroundings
}

@Suite("The validation of a commit")
struct CommitValidationTests {
    @Test("agrees with a walk over the whole tree, for drawn histories", arguments: 1...40 as ClosedRange<UInt64>)
    func agreesWithModel(seed: UInt64) {
        var (model, random) = (TreeModel(), RandomChanges(seed: seed, nodes: 6 + seed % 12))
        for step in 0..<150 {
            let changes = random.next(for: model, count: 1 + Int(seed % 9))
            let expected = model.refusals(changes)
            #expect(
                CommitValidation(changes, in: surroundings(model)).refusals() == expected,
                "seed \(seed), step \(step): \(changes)")
            if expected.isEmpty { model.apply(changes) }
        }
        #expect(model.head.number > 10)
    }

    @Test("does not depend on the order of the changes, but for which of several rivals is named")
    func orderIsNothing() {
        var (model, random) = (TreeModel(), RandomChanges(seed: 77))
        for _ in 0..<300 {
            let changes = random.next(for: model, count: 8)
            let around = surroundings(model)
            let (forth, back) = (
                CommitValidation(changes, in: around).refusals(),
                CommitValidation(changes.reversed(), in: around).refusals()
            )
            #expect(forth.map(\.node) == back.map(\.node))
            if forth.isEmpty { model.apply(changes) }
        }
    }

    @Test("meets every reason to refuse, so that the comparison is worth something")
    func drawsEveryReason() {
        var seen: Set<String> = []
        for seed in 1...40 as ClosedRange<UInt64> {
            var (model, random) = (TreeModel(), RandomChanges(seed: seed))
            for _ in 0..<150 {
                let changes = random.next(for: model)
                let refusals = model.refusals(changes)
                for refusal in refusals { seen.insert(name(refusal.reason)) }
                if refusals.isEmpty { model.apply(changes) }
            }
        }
        #expect(seen == ["stale", "gone", "nameTaken", "parentMissing", "folderNotEmpty", "cycle", "kindChanged"])
    }

    @Test("walks a deep tree once, not once for each of its folders")
    func deepChain() {
        // Each folder goes into the next: a walk for each from the start would take 200 million steps.
        let count: UInt64 = 20_000
        let changes = (1...count).map { number in
            let parent = number == count ? NodeID.root : Fixture.node(number + 1)
            return NodeChange(number, Fixture.folder("f", in: parent))
        }
        #expect(CommitValidation(changes, in: CommitSurroundings()).refusals().isEmpty)
        let ring = changes.dropLast() + [NodeChange(count, Fixture.folder("f", in: Fixture.node(1)))]
        let refusals = CommitValidation(Array(ring), in: CommitSurroundings()).refusals()
        #expect(refusals.count == Int(count) && refusals.allSatisfy { $0.reason == .cycle })
    }

    private func name(_ reason: RefusalReason) -> String {
        switch reason {
        case .stale(nil): "gone"
        case .stale: "stale"
        case .nameTaken: "nameTaken"
        case .parentMissing: "parentMissing"
        case .folderNotEmpty: "folderNotEmpty"
        case .cycle: "cycle"
        case .kindChanged: "kindChanged"
        }
    }
}
