import Metadata
import MetadataConformance
import Model
import Testing

@testable import Files

@Suite("What an undo makes of one node")
struct UndoRuleTests {
    /// Versions by the revisions that made them, oldest first; a removal is a revision with a minus.
    private func versions(_ events: [Int]) -> [NodeVersion] {
        var found: [NodeVersion] = []
        for event in events {
            let revision = Revision(UInt64(abs(event)))
            if let last = found.last, last.ended == nil {
                found[found.count - 1] = NodeVersion(record: last.record, ended: revision)
            }
            guard event > 0 else { continue }
            let state = Fixture.file("f", content: UInt64(event))
            found.append(NodeVersion(record: NodeRecord(node: Fixture.node(1), revision: revision, state: state)))
        }
        return found.reversed()
    }

    private func verdict(_ events: [Int], _ revisions: Set<UInt64>) -> String {
        switch UndoRule(revisions: Set(revisions.map { Revision($0) })).verdict(versions(events)) {
        case .nothing: "nothing"
        case .restore(let version): version.map { "to \($0.record.revision)" } ?? "gone"
        case .changedLater(let revision): "left \(revision)"
        }
    }

    @Test("only the last changes of the device are taken back")
    func cases() {
        #expect(verdict([1, 2, 3], [3]) == "to 2")
        #expect(verdict([1, 2, 3], [2, 3]) == "to 1")
        #expect(verdict([1, 2, 3], [1, 2, 3]) == "gone")
        #expect(verdict([1, 2, 3], [1, 3]) == "to 2")
        #expect(verdict([1, 2, 3], [2]) == "left 3")
        #expect(verdict([1, 2, 3], [9]) == "nothing")
        #expect(verdict([], [1]) == "nothing")
    }

    @Test("a removal is taken back, and a return too")
    func removals() {
        #expect(verdict([1, -2], [2]) == "to 1")
        #expect(verdict([1, -2, 3], [3]) == "gone")
        #expect(verdict([1, -2, 3], [2, 3]) == "to 1")
        #expect(verdict([1, -2, 3], [2]) == "left 3")
        #expect(verdict([1, 2, -3], [2]) == "left 3")
        #expect(verdict([1, -2], [1]) == "nothing")
    }

    @Test("what was taken back already is not named")
    func undone() {
        var versions = versions([1, 2])
        let state = Fixture.file("f", content: 1)
        versions[0] = NodeVersion(record: versions[0].record, ended: Revision(3))
        versions.insert(
            NodeVersion(record: NodeRecord(node: Fixture.node(1), revision: Revision(3), state: state)), at: 0)
        #expect(UndoRule(revisions: [Revision(2)]).verdict(versions) == .nothing)
    }
}
