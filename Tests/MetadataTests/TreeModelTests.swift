import Metadata
import MetadataConformance
import Model
import Testing

/// The model is what all else is compared with, so it has a few tests of its own that say what it should.
@Suite("The model of a namespace")
struct TreeModelTests {
    @Test("names the last touch of each node between two revisions")
    func changes() {
        var model = TreeModel()
        model.apply([NodeChange(1, Fixture.file("a")), NodeChange(2, Fixture.file("b"))])
        model.apply([NodeChange(1, base: 1, Fixture.file("c"))])
        model.apply([NodeChange(2, base: 1, nil)])
        let all = model.changes(since: 0, upTo: 3)
        #expect(all.map(\.node.low) == [1, 2] && all.map(\.revision.number) == [2, 3])
        #expect(all.map(\.state) == [Fixture.file("c"), nil])
        #expect(model.changes(since: 1, upTo: 2).map(\.node.low) == [1])
        #expect(model.changes(since: 3, upTo: 3).isEmpty)
    }

    @Test("keeps every revision as it was")
    func history() {
        var model = TreeModel()
        model.apply([NodeChange(1, Fixture.folder("a"))])
        model.apply([NodeChange(2, Fixture.file("x", in: Fixture.node(1)))])
        #expect(model.children(of: Fixture.node(1), at: 1).isEmpty)
        #expect(model.children(of: Fixture.node(1), at: 2).map(\.node) == [Fixture.node(2)])
        #expect(model.trees[0].isEmpty && model.head == Revision(2))
    }

    @Test("refuses a ring and a taken name")
    func refusals() {
        var model = TreeModel()
        model.apply([NodeChange(1, Fixture.folder("a")), NodeChange(2, Fixture.folder("b", in: Fixture.node(1)))])
        let ring = [NodeChange(1, base: 1, Fixture.folder("a", in: Fixture.node(2)))]
        #expect(model.refusals(ring) == [Refusal(node: Fixture.node(1), reason: .cycle)])
        let taken = [NodeChange(3, Fixture.file("a"))]
        #expect(model.refusals(taken) == [Refusal(node: Fixture.node(3), reason: .nameTaken(by: Fixture.node(1)))])
    }
}
