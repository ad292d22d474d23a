import MetadataConformance
import Model
import Testing

@testable import Metadata

/// Folders by number, each in the folder of the number beside it; 0 is the root.
private func search(_ changes: [UInt64: UInt64], in present: [UInt64: UInt64] = [:]) -> Set<UInt64> {
    func state(_ node: UInt64, _ parent: UInt64) -> NodeState {
        Fixture.folder("f\(node)", in: parent == 0 ? .root : Fixture.node(parent))
    }
    let histories = present.map { node, parent in
        let record = NodeRecord(node: Fixture.node(node), revision: Revision(1), state: state(node, parent))
        return (record.node, NodeHistory(latest: record, removed: nil))
    }
    let set = changes.map { NodeChange($0, base: present[$0] == nil ? 0 : 1, state($0, $1)) }
    let search = CycleSearch(
        Dictionary(uniqueKeysWithValues: set.map { ($0.node, $0) }),
        in: CommitSurroundings(histories: Dictionary(uniqueKeysWithValues: histories)))
    return Set(search.foldersWithinThemselves().map(\.low))
}

@Suite("The search for folders within themselves")
struct CycleSearchTests {
    @Test("finds nothing in a tree")
    func trees() {
        #expect(search([:]).isEmpty)
        #expect(search([1: 0, 2: 1, 3: 2]).isEmpty)
        #expect(search([3: 4], in: [1: 0, 2: 1, 3: 2, 4: 1]).isEmpty)
    }

    @Test("finds a folder in itself, and rings of two and of many")
    func rings() {
        #expect(search([1: 1]) == [1])
        #expect(search([1: 2, 2: 1]) == [1, 2])
        #expect(search([1: 2, 2: 3, 3: 4, 4: 1]) == [1, 2, 3, 4])
    }

    @Test("names the ring, not what hangs below it")
    func tails() {
        #expect(search([1: 2, 2: 1, 3: 1, 4: 3]) == [1, 2])
        #expect(search([4: 3, 3: 2, 2: 2]) == [2])
    }

    @Test("finds several rings at once")
    func several() {
        #expect(search([1: 2, 2: 1, 3: 3, 5: 6, 6: 7, 7: 5, 8: 0]) == [1, 2, 3, 5, 6, 7])
    }

    @Test("goes through folders that are not changed")
    func throughPresent() {
        // 1 holds 2 holds 3; 1 goes into 3. All three are on the ring, one is changed.
        #expect(search([1: 3], in: [1: 0, 2: 1, 3: 2]) == [1, 2, 3])
    }

    @Test("stops where nothing is known, and at what is no folder")
    func unknown() {
        #expect(search([1: 99]).isEmpty)
        let file = NodeChange(2, Fixture.file("x", in: Fixture.node(1)))
        let folder = NodeChange(1, Fixture.folder("a", in: Fixture.node(2)))
        let changes = [file.node: file, folder.node: folder]
        #expect(CycleSearch(changes, in: CommitSurroundings()).foldersWithinThemselves().isEmpty)
    }
}
