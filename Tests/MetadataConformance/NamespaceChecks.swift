import Metadata
import Model
import Testing

private let second = NamespaceID(high: 0x5A, low: 2)

private func commitToBoth(_ database: any MetadataDatabase, _ upload: UInt64, _ changes: [NodeChange]) async throws {
    try await database.write { connection throws in
        for namespace in [Fixture.namespace, second] {
            let request = CommitRequest(
                namespace: namespace, upload: Fixture.upload(upload), device: Fixture.device, changes: changes)
            let outcome = try CommitQueries(connection).apply(request, at: Fixture.time, hash: TestHash.digest)
            #expect(outcome.refusals.isEmpty)
        }
    }
}

extension MetadataConformance {
    static let namespaceChecks: [Check] = [
        Check("two namespaces with the same nodes and names know nothing of each other") { database in
            try await database.prepareHome()
            try await database.write {
                try NamespaceQueries($0).create(second, owner: Fixture.account, at: Fixture.time)
            }
            try await commitToBoth(database, 1, [NodeChange(1, Fixture.folder("a")), NodeChange(2, Fixture.file("b"))])
            // From here on only the home goes on.
            try await database.commit(2, [NodeChange(1, base: 1, nil), NodeChange(2, base: 1, Fixture.file("c"))])
            try await database.read { connection throws in
                let nodes = NodeQueries(connection)
                #expect(
                    try nodes.children(of: .root, in: second, limit: 9).map(\.state.name.description) == ["a", "b"])
                #expect(try nodes.node(Fixture.node(1), in: second)?.revision == Revision(1))
                #expect(try nodes.child(.root, Fixture.name("c"), in: second) == nil)
                let slice = try nodes.changes(in: second, since: Revision(1), upTo: Revision(9), limit: 9)
                #expect(slice.entries.isEmpty)
                #expect(try CommitQueries(connection).changes(of: Revision(2), in: second).isEmpty)
                #expect(try CommitQueries(connection).commits(in: second, from: .zero, limit: 9).count == 1)
                #expect(try JournalVerification(connection, second, hash: TestHash.digest).faults().isEmpty)
            }
            #expect(try await database.homeFaults().isEmpty)
        },
        Check("the same commits of two namespaces have different hashes") { database in
            try await database.prepareHome()
            try await database.write {
                try NamespaceQueries($0).create(second, owner: Fixture.account, at: Fixture.time)
            }
            try await commitToBoth(database, 1, [NodeChange(1, Fixture.folder("a"))])
            let heads = try await database.read { try NamespaceQueries($0).heads(of: Fixture.account) }
            #expect(heads.map(\.revision) == [Revision(1), Revision(1)])
            #expect(Set(heads.map(\.hash)).count == 2)
        },
        Check("a long journal is verified to its end, and a fault far behind is found") { database in
            try await database.prepareHome()
            try await database.write { connection throws in
                for upload in 1...1300 as ClosedRange<UInt64> {
                    let request = CommitRequest(
                        namespace: Fixture.namespace, upload: Fixture.upload(upload), device: Fixture.device,
                        changes: [NodeChange(1, base: upload - 1, Fixture.file("a", content: upload))])
                    _ = try CommitQueries(connection).apply(request, at: Fixture.time, hash: TestHash.digest)
                }
            }
            #expect(try await database.homeFaults().isEmpty)
            // A version of a node with many is found at once, whichever it is.
            for revision in [1, 2, 650, 1299, 1300] as [UInt64] {
                let child = try await database.read {
                    try NodeQueries($0).child(
                        .root, Fixture.name("a"), in: Fixture.namespace, at: Revision(revision))
                }
                #expect(child?.revision == Revision(revision))
            }
            try await database.write { try $0.execute("UPDATE node SET mode = 7 WHERE valid_from = 1201", []) }
            #expect(try await database.homeFaults().map(\.revision) == [Revision(1201)])
        },
    ]
}
