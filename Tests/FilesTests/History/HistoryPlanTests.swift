import Metadata
import MetadataConformance
import Model
import TestSupport
import Testing

@testable import Files

/// Rewinds and undos of random histories, held against a model in which every revision is a dictionary of its own.
@Suite("Plans of rewinds and undos")
struct HistoryPlanTests {
    @Test(
        "a rewind gives the tree of then, and a second one has nothing to do", arguments: 1...60 as ClosedRange<UInt64>)
    func rewind(seed: UInt64) throws {
        var history = DrawnHistory(seed: seed)
        history.play(60, devices: 1)
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<4 {
            let target = Int.random(in: 0..<history.model.trees.count, using: &generator)
            let plan = try Settlement.plan(history.goals(at: target), in: ModelTree(model: history.model))
            #expect(plan.left.isEmpty)
            #expect(history.model.refusals(plan.changes).isEmpty, "seed \(seed) to \(target)")
            if !plan.changes.isEmpty { history.apply(plan.changes, by: 0) }
            #expect(history.model.states == history.model.states(at: target))
            let again = try Settlement.plan(history.goals(at: target), in: ModelTree(model: history.model))
            #expect(again.changes.isEmpty)
        }
    }

    @Test(
        "what is not kept stays as it is and is named, and the rest is a tree",
        arguments: 1...60 as ClosedRange<UInt64>)
    func rewindOfThinned(seed: UInt64) throws {
        var history = DrawnHistory(seed: seed)
        history.play(60, devices: 1)
        var generator = SeededGenerator(seed: seed)
        let target = Int.random(in: 0..<history.model.trees.count, using: &generator)
        let files = history.model.histories.filter { !$0.value.latest.state.payload.isFolder }.keys.sorted()
        let thinned = Set(files.filter { _ in Bool.random(using: &generator) })
        let plan = try Settlement.plan(
            history.goals(at: target, thinned: thinned), in: ModelTree(model: history.model))
        #expect(history.model.refusals(plan.changes).isEmpty, "seed \(seed) to \(target)")
        let before = history.model.states
        if !plan.changes.isEmpty { history.apply(plan.changes, by: 0) }
        let (after, then) = (history.model.states, history.model.states(at: target))
        for node in history.model.histories.keys {
            #expect(after[node] == (plan.left[node] == nil ? then[node] : before[node]), "seed \(seed), node \(node)")
        }
        for (node, reason) in plan.left where reason == .notKept {
            #expect(thinned.contains(node))
            #expect(before[node]?.payload != then[node]?.payload)
        }
    }

    @Test(
        "the commits of a plan each leave a tree, and all of them the whole", arguments: 1...60 as ClosedRange<UInt64>)
    func batches(seed: UInt64) throws {
        var history = DrawnHistory(seed: seed)
        history.play(80, devices: 1)
        for (target, limit) in [(0, 2), (5, 1), (12, 3), (20, 4)] where target < history.model.trees.count {
            var copy = history
            let plan = try Settlement.plan(copy.goals(at: target), in: ModelTree(model: copy.model))
            let batches = PlanOrder.batches(plan, limit: limit)
            #expect(batches.joined().map(\.node).sorted() == plan.changes.map(\.node).sorted())
            for batch in batches {
                #expect(copy.model.refusals(batch).isEmpty, "seed \(seed) to \(target), \(batch)")
                copy.apply(batch, by: 0)
            }
            #expect(copy.model.states == copy.model.states(at: target))
        }
    }

    @Test("an undo of a device that worked alone is a rewind", arguments: 1...60 as ClosedRange<UInt64>)
    func undoAlone(seed: UInt64) throws {
        var history = DrawnHistory(seed: seed)
        history.play(25, devices: 1)
        let start = history.model.trees.count
        for _ in 0..<25 { history.play(1, devices: 1) }
        let undo = history.undo(history.revisions(of: 0, from: start))
        #expect(undo.left.isEmpty)
        let tree = ModelTree(model: history.model)
        let plan = try Settlement.plan(undo.goals, in: tree)
        let rewind = try Settlement.plan(history.goals(at: start - 1), in: tree)
        #expect(plan.changes == rewind.changes)
        #expect(plan.left.isEmpty && rewind.left.isEmpty)
    }

    @Test("an undo changes nothing that another device changed later", arguments: 1...120 as ClosedRange<UInt64>)
    func undoAmongOthers(seed: UInt64) throws {
        var history = DrawnHistory(seed: seed)
        history.play(80, devices: 3)
        let revisions = history.revisions(of: 1, from: Int(seed % 30))
        let undo = history.undo(revisions)
        let plan = try Settlement.plan(undo.goals, left: undo.left, in: ModelTree(model: history.model))
        #expect(history.model.refusals(plan.changes).isEmpty, "seed \(seed)")
        for change in plan.changes {
            let last = history.versions(of: change.node).first.map { $0.ended ?? $0.record.revision }
            #expect(last.map(revisions.contains) == true, "seed \(seed), node \(change.node)")
            #expect(plan.left[change.node] == nil)
        }
        let before = history.model.states
        if !plan.changes.isEmpty { history.apply(plan.changes, by: 7) }
        for node in plan.left.keys { #expect(history.model.states[node] == before[node]) }
        let again = history.undo(revisions)
        let second = try Settlement.plan(again.goals, left: again.left, in: ModelTree(model: history.model))
        #expect(second.changes.isEmpty, "seed \(seed)")
    }

    @Test("a device that undoes itself has nothing to do the second time", arguments: 1...40 as ClosedRange<UInt64>)
    func undoItself(seed: UInt64) throws {
        var history = DrawnHistory(seed: seed)
        history.play(40, devices: 2)
        for round in 0..<2 {
            let undo = history.undo(history.revisions(of: 1, from: 10))
            let plan = try Settlement.plan(undo.goals, left: undo.left, in: ModelTree(model: history.model))
            if round == 1 { #expect(plan.changes.isEmpty, "seed \(seed)") }
            if !plan.changes.isEmpty { history.apply(plan.changes, by: 1) }
        }
    }

    @Test("of two that want one name the one that is there has it")
    func names() throws {
        var model = TreeModel()
        model.apply([NodeChange(1, Fixture.file("a")), NodeChange(2, Fixture.file("b"))])
        let goals = [
            NodeGoal(node: Fixture.node(1), state: Fixture.file("b")),
            NodeGoal(node: Fixture.node(2), state: Fixture.file("b", content: 9)),
        ]
        let plan = try Settlement.plan(goals, in: ModelTree(model: model))
        #expect(plan.left == [Fixture.node(1): .nameTaken])
        #expect(plan.changes.map(\.node) == [Fixture.node(2)])
    }

    @Test("many that find their names taken get others, no two the same")
    func otherNames() throws {
        var model = TreeModel()
        model.apply((1...20 as ClosedRange<UInt64>).map { NodeChange($0, Fixture.file("f\($0)")) })
        let goals = (101...120 as ClosedRange<UInt64>).flatMap { number in
            [
                NodeGoal(node: Fixture.node(number), state: Fixture.file("f\(number - 100)")),
                NodeGoal(node: Fixture.node(number + 100), state: Fixture.file("f\(number - 100)")),
            ]
        }
        let plan = try Settlement.plan(goals, in: ModelTree(model: model)) { name, attempt in
            Fixture.name("\(name) again \(attempt)")
        }
        #expect(plan.left.isEmpty && plan.changes.count == 40)
        #expect(model.refusals(plan.changes).isEmpty)
    }

    @Test("a folder stays while something in it stays, and what would be without a folder stays away")
    func folders() throws {
        var model = TreeModel()
        let folder = Fixture.node(1)
        model.apply([NodeChange(1, Fixture.folder("d")), NodeChange(2, Fixture.file("x", in: folder))])
        let goals = [
            NodeGoal(node: folder, state: nil),
            NodeGoal(node: Fixture.node(2), state: Fixture.file("x", in: folder, content: 5), isKept: false),
            NodeGoal(node: Fixture.node(3), state: Fixture.file("y", in: Fixture.node(77))),
        ]
        let plan = try Settlement.plan(goals, in: ModelTree(model: model))
        #expect(plan.changes.isEmpty)
        #expect(
            plan.left == [folder: .folderNotEmpty, Fixture.node(2): .notKept, Fixture.node(3): .folderMissing])
    }

    @Test("folders that would be within one another are left")
    func rings() throws {
        var model = TreeModel()
        let (a, b) = (Fixture.node(1), Fixture.node(2))
        model.apply([NodeChange(1, Fixture.folder("a")), NodeChange(2, Fixture.folder("b", in: a))])
        let plan = try Settlement.plan(
            [NodeGoal(node: a, state: Fixture.folder("a", in: b))], in: ModelTree(model: model))
        #expect(plan.left == [a: .cycle])
        let swap = try Settlement.plan(
            [
                NodeGoal(node: a, state: Fixture.folder("a", in: b)),
                NodeGoal(node: b, state: Fixture.folder("b")),
            ], in: ModelTree(model: model))
        #expect(swap.left.isEmpty && swap.changes.count == 2)
        #expect(PlanOrder.batches(swap, limit: 1).count == 1)
        #expect(model.refusals(swap.changes).isEmpty)
    }

    @Test("components come after what they need, however long the chain")
    func components() {
        let count = 50_000
        var edges = (0..<count).map { $0 + 1 < count ? [$0 + 1] : [] }
        var search = ComponentSearch(edges)
        #expect(search.components().map { $0[0] } == (0..<count).reversed())
        edges[count - 1] = [count - 3]
        search = ComponentSearch(edges)
        let found = search.components()
        #expect(found.count == count - 2)
        #expect(Set(found[0]) == [count - 1, count - 2, count - 3])
    }
}
