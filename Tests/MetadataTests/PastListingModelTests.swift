import Metadata
import MetadataConformance
import MetadataSQLite
import Model
import TestSupport
import Testing

@Suite("The past of a namespace, held against the model")
struct PastListingModelTests {
    private let directory = TemporaryDirectory()

    private func open() async throws -> SQLiteMetadataDatabase {
        let database = try SQLiteMetadataDatabase(path: directory.appending("metadata.db"))
        try await database.prepareHome()
        return database
    }

    /// Commits to both; a change-set that the model refuses is a mistake of the test.
    private func commit(
        _ changes: [NodeChange], _ database: SQLiteMetadataDatabase, _ model: inout TreeModel
    ) async throws {
        let outcome = try await database.commit(model.head.number + 1, changes)
        model.apply(changes)
        #expect(outcome.revision == model.head)
    }

    /// All pages of a folder at a revision.
    private func pages(
        _ connection: any MetadataConnection, _ folder: NodeID, at revision: Int, limit: Int
    ) throws -> [NodeRecord] {
        var (found, after): ([NodeRecord], NodeName?) = ([], nil)
        while true {
            let page = try NodeQueries(connection).children(
                of: folder, in: Fixture.namespace, after: after, limit: limit, at: Revision(UInt64(revision)))
            found += page
            guard page.count == limit, let last = page.last else { return found }
            after = last.state.name
        }
    }

    @Test("few names that are swapped, moved and renamed back and forth", arguments: 1...3 as ClosedRange<UInt64>)
    func renames(seed: UInt64) async throws {
        let database = try await open()
        var (model, dice) = (TreeModel(), SeededGenerator(seed: seed))
        let start = [NodeChange(1, Fixture.folder("d1")), NodeChange(2, Fixture.folder("d2"))]
        try await commit(start + (3...6).map { NodeChange($0, Fixture.file("n\($0)")) }, database, &model)
        while model.head.number < 90 {
            var changes: [NodeChange] = []
            for node in 1...6 as ClosedRange<UInt64> where Int.random(in: 0..<3, using: &dice) == 0 {
                let known = model.histories[Fixture.node(node)]
                let base = known?.removed ?? known?.latest.revision ?? .zero
                let parent = Fixture.node(UInt64.random(in: 0...2, using: &dice))
                let place = parent == Fixture.node(0) || node < 3 ? NodeID.root : parent
                let name = "n\(Int.random(in: 0..<5, using: &dice))"
                let isGone = node > 2 && Int.random(in: 0..<6, using: &dice) == 0
                let state = node < 3 ? Fixture.folder(name, in: place) : Fixture.file(name, in: place)
                if isGone && known?.removed != nil { continue }
                changes.append(NodeChange(node: Fixture.node(node), base: base, state: isGone ? nil : state))
            }
            if changes.isEmpty || !model.refusals(changes).isEmpty { continue }
            try await commit(changes, database, &model)
        }
        try await compare(database, model, names: (0..<5).map { "n\($0)" } + ["d1", "d2", "n5", "n6"])
        try await database.close()
    }

    /// Folders, names and paths at every revision.
    private func compare(_ database: SQLiteMetadataDatabase, _ model: TreeModel, names: [String]) async throws {
        let names = names.map(Fixture.name)
        try await database.read { connection throws in
            let nodes = NodeQueries(connection)
            for revision in model.trees.indices {
                let at = Revision(UInt64(revision))
                for folder in [NodeID.root, Fixture.node(1), Fixture.node(2)] {
                    let expected = model.children(of: folder, at: revision)
                    for limit in [1, 2, 9] {
                        #expect(try pages(connection, folder, at: revision, limit: limit) == expected)
                    }
                    let way = model.trees[revision][folder].map { [$0.state.name] } ?? []
                    for name in names {
                        let record = expected.first { $0.state.name == name }
                        #expect(try nodes.child(folder, name, in: Fixture.namespace, at: at) == record)
                        let path = RemotePath(way + [name])
                        #expect(try nodes.resolve(path, in: Fixture.namespace, at: at) == record)
                    }
                }
            }
        }
    }

    @Test("thousands of edits of one name leave its neighbours and all of its versions in place")
    func edits() async throws {
        let database = try await open()
        let count: UInt64 = 2000
        try await database.write { connection throws in
            let commits = CommitQueries(connection)
            for upload in 1...count {
                var changes = [NodeChange(1, base: upload - 1, Fixture.file("m", content: upload))]
                if upload == 1 { changes += [NodeChange(2, Fixture.file("a")), NodeChange(3, Fixture.file("z"))] }
                let request = CommitRequest(
                    namespace: Fixture.namespace, upload: Fixture.upload(upload), device: Fixture.device,
                    changes: changes)
                _ = try commits.apply(request, at: Fixture.time, hash: TestHash.digest)
            }
        }
        try await database.read { connection throws in
            let versions = VersionQueries(connection)
            for revision in stride(from: UInt64(1), through: count, by: 111) {
                let page = try pages(connection, .root, at: Int(revision), limit: 2)
                #expect(page.map(\.revision.number) == [1, revision, 1])
                let version = try versions.version(
                    of: Fixture.node(1), in: Fixture.namespace, at: Revision(revision))
                #expect(version?.record == page[1])
                #expect(version?.ended == (revision == count ? nil : Revision(revision + 1)))
            }
            var (found, before): ([UInt64], Revision?) = ([], nil)
            repeat {
                let page = try versions.versions(
                    of: Fixture.node(1), in: Fixture.namespace, before: before, limit: 300)
                found += page.map(\.record.revision.number)
                before = page.last?.record.revision
            } while before != nil
            #expect(found == (1...count).reversed())
        }
        try await database.close()
    }

    @Test("a folder that many short-lived entries went through, between those that stay and those that come again")
    func shortLived() async throws {
        let database = try await open()
        var (model, dice, next) = (TreeModel(), SeededGenerator(seed: 8), UInt64(0))
        var alive: [(node: UInt64, base: UInt64)] = []
        for _ in 0..<16 {
            let revision = model.head.number + 1
            alive.shuffle(using: &dice)
            let going = alive.prefix(alive.count * 4 / 5)
            alive.removeFirst(going.count)
            var changes = going.map { NodeChange($0.node, base: $0.base, nil) }
            for _ in 0..<150 {
                next += 1
                // Names come again in later revisions, and lie in no order.
                let number = (next * 7919) % 900
                let name = Fixture.name("e\(1000 + number)")
                let isTaken = alive.contains { model.tree[Fixture.node($0.node)]?.state.name == name }
                if isTaken || changes.contains(where: { $0.state?.name == name }) { continue }
                changes.append(NodeChange(next, Fixture.file("e\(1000 + number)", content: next)))
                alive.append((node: next, base: revision))
            }
            try await commit(changes, database, &model)
        }
        let played = model
        try await database.read { connection throws in
            for revision in played.trees.indices {
                let expected = played.children(of: .root, at: revision)
                for limit in [7, 50, 1000] {
                    #expect(try pages(connection, .root, at: revision, limit: limit) == expected)
                }
            }
        }
        try await database.close()
    }
}
