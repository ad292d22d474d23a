import MetadataConformance
import MetadataSQLite
import Model
import TestSupport
import Testing

@testable import Metadata

/// What is read around a change-set: enough to judge it, and not the whole tree.
@Suite("The surroundings of a commit")
struct CommitSurroundingsTests {
    private let directory = TemporaryDirectory()
    private let database: SQLiteMetadataDatabase

    init() async throws {
        database = try SQLiteMetadataDatabase(path: directory.appending("metadata.db"))
        try await database.prepareHome()
    }

    private func load(_ changes: [NodeChange]) async throws -> CommitSurroundings {
        try await database.read { try CommitSurroundings(of: changes, in: Fixture.namespace, $0) }
    }

    /// A chain of folders 1/2/3/4/5, and files 11 to 19 in the last.
    private func makeTree() async throws {
        let folders = (1...5 as ClosedRange<UInt64>).map { number in
            NodeChange(number, Fixture.folder("d\(number)", in: number == 1 ? .root : Fixture.node(number - 1)))
        }
        let files = (11...19 as ClosedRange<UInt64>).map { number in
            NodeChange(number, Fixture.file("f\(number)", in: Fixture.node(5)))
        }
        try await database.commit(1, folders + files)
    }

    @Test("of an edit are the node and its folder, and nobody is asked about its name")
    func edit() async throws {
        try await makeTree()
        let around = try await load([NodeChange(11, base: 1, Fixture.file("f11", in: Fixture.node(5), content: 5))])
        #expect(Set(around.histories.keys) == [Fixture.node(11), Fixture.node(5)])
        #expect(around.occupants.isEmpty && around.entryCounts.isEmpty)
    }

    @Test("of a new file are its folder and who has its name")
    func create() async throws {
        try await makeTree()
        let around = try await load([NodeChange(50, Fixture.file("f12", in: Fixture.node(5)))])
        #expect(Set(around.histories.keys) == [Fixture.node(5)])
        let place = NodePlace(parent: Fixture.node(5), name: Fixture.name("f12"))
        #expect(around.occupants == [place: Fixture.node(12)])
    }

    @Test("of a file in a new folder ask nobody about the name")
    func createInNewFolder() async throws {
        try await makeTree()
        let around = try await load([
            NodeChange(50, Fixture.folder("new")), NodeChange(51, Fixture.file("f", in: Fixture.node(50))),
        ])
        #expect(around.histories.isEmpty && around.occupants.isEmpty)
    }

    @Test("of a folder that moves are all that will be above it")
    func move() async throws {
        try await makeTree()
        try await database.commit(2, [NodeChange(6, Fixture.folder("other"))])
        let around = try await load([NodeChange(6, base: 2, Fixture.folder("other", in: Fixture.node(4)))])
        #expect(Set(around.histories.keys) == Set([6, 4, 3, 2, 1].map { Fixture.node($0) }))
    }

    @Test("of a folder that goes are its entries, counted no further than it takes")
    func remove() async throws {
        try await makeTree()
        let alone = try await load([NodeChange(5, base: 1, nil)])
        #expect(alone.entryCounts == [Fixture.node(5): 1])
        let withSome = try await load([NodeChange(5, base: 1, nil), NodeChange(11, base: 1, nil)])
        #expect(withSome.entryCounts == [Fixture.node(5): 2])
        let withAll = try await load(
            [NodeChange(5, base: 1, nil)] + (11...19).map { NodeChange($0, base: 1, nil) })
        #expect(withAll.entryCounts == [Fixture.node(5): 9])
    }

    @Test("of what was removed tell its last state and when it went")
    func history() async throws {
        try await makeTree()
        try await database.commit(2, [NodeChange(11, base: 1, Fixture.file("renamed"))])
        try await database.commit(3, [NodeChange(11, base: 2, nil)])
        let around = try await load([NodeChange(11, base: 3, Fixture.file("back"))])
        let latest = NodeRecord(node: Fixture.node(11), revision: Revision(2), state: Fixture.file("renamed"))
        #expect(around.histories == [Fixture.node(11): NodeHistory(latest: latest, removed: Revision(3))])
    }
}
