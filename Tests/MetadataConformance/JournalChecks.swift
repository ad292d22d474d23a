import Metadata
import Model
import Testing

private func threeCommits(_ database: any MetadataDatabase) async throws -> [CommitRecord] {
    try await database.prepareHome()
    let changes = [
        [NodeChange(1, Fixture.file("a")), NodeChange(2, Fixture.folder("b"))],
        [NodeChange(1, base: 1, Fixture.symlink("a", to: "b"))], [NodeChange(2, base: 1, nil)],
    ]
    var records: [CommitRecord] = []
    for (index, set) in changes.enumerated() {
        let time = Fixture.time.advanced(by: .seconds(Int64(index)))
        guard case .committed(let record) = try await database.commit(UInt64(index) + 1, set, at: time) else {
            continue
        }
        records.append(record)
    }
    return records
}

extension MetadataConformance {
    static let journalChecks: [Check] = [
        Check("the journal tells who committed what and when") { database in
            let records = try await threeCommits(database)
            #expect(records.map(\.changeCount) == [2, 1, 1])
            #expect(records.map(\.upload) == [1, 2, 3].map { Fixture.upload($0) })
            #expect(records.allSatisfy { $0.device == Fixture.device })
            #expect(records.map { $0.time.seconds - Fixture.time.seconds } == [0, 1, 2])
            try await database.read { connection throws in
                let commits = CommitQueries(connection)
                #expect(try commits.commit(Revision(2), in: Fixture.namespace) == records[1])
                #expect(try commits.commit(Revision(4), in: Fixture.namespace) == nil)
                #expect(try commits.commit(.zero, in: Fixture.namespace) == nil)
                #expect(try commits.commits(in: Fixture.namespace, from: .zero, limit: 2) == Array(records[..<2]))
                #expect(try commits.commits(in: Fixture.namespace, from: Revision(3), limit: 9) == [records[2]])
                #expect(try commits.outcome(of: Fixture.upload(2), in: Fixture.namespace) == .committed(records[1]))
                #expect(try NamespaceQueries(connection).head(of: Fixture.namespace) == records[2].head)
            }
        },
        Check("what a commit did is read back from the tree") { database in
            _ = try await threeCommits(database)
            let changes = try await database.read { connection throws in
                try (1...4).map { try CommitQueries(connection).changes(of: Revision($0), in: Fixture.namespace) }
            }
            #expect(changes.map { $0.map(\.node.low) } == [[1, 2], [1], [2], []])
            #expect(changes[0].map(\.state) == [Fixture.file("a"), Fixture.folder("b")])
            #expect(changes[1].map(\.state) == [Fixture.symlink("a", to: "b")])
            #expect(changes[2].map(\.state) == [nil])
        },
        Check("the hash of a commit follows from the one before it and from all it says") { database in
            let records = try await threeCommits(database)
            let digest = TestHash.digest(JournalFormat.bytes(of: [(node: Fixture.node(2), state: nil)]))
            let hash = JournalFormat.commitHash(
                after: records[1].head, revision: Revision(3), device: Fixture.device, upload: Fixture.upload(3),
                time: records[2].time, digest: digest, count: 1, hash: TestHash.digest)
            #expect(records[2].head.hash == hash)
            #expect(Set(records.map(\.head.hash)).count == 3)
            #expect(try await database.homeFaults().isEmpty)
        },
        tampering("a changed row", "UPDATE node SET mode = 1 WHERE valid_from = 2", [.changedRows], at: [2]),
        tampering("a lost row", "DELETE FROM node WHERE valid_from = 2", [.changedRows], at: [2]),
        tampering("a changed time", "UPDATE journal SET time = 5 WHERE revision = 2", [.brokenChain], at: [2]),
        tampering(
            "a changed hash", "UPDATE journal SET hash = upload WHERE revision = 1", nil, at: []),
        tampering(
            "a lost commit", "DELETE FROM journal WHERE revision = 2", [.missingCommit, .brokenChain], at: [2, 3]),
        tampering("a lost last commit", "DELETE FROM journal WHERE revision = 3", [.wrongHead], at: [2]),
        tampering("a head that was put back", "UPDATE namespace SET revision = 2", [.wrongHead], at: [3]),
        Check("the chain alone can be checked where rows are gone") { database in
            _ = try await threeCommits(database)
            try await database.write { try $0.execute("DELETE FROM node WHERE valid_to IS NOT NULL", []) }
            let faults = try await database.read { connection throws in
                try JournalVerification(connection, Fixture.namespace, hash: TestHash.digest).faults(rows: false)
            }
            #expect(faults.isEmpty)
            #expect(try await !database.homeFaults().isEmpty)
            await #expect(throws: MetadataError(.notFound, "")) {
                try await database.read {
                    try JournalVerification($0, NamespaceID(high: 1, low: 1), hash: TestHash.digest).faults()
                }
            }
        },
    ]

    /// Makes a check that changes the database behind the back of the queries, and names the faults that are to be
    /// found; nil when the row can't even be read.
    private static func tampering(
        _ what: String, _ statement: String, _ kinds: [JournalFault.Kind]?, at revisions: [UInt64]
    ) -> Check {
        Check("\(what) of the history is noticed") { database in
            _ = try await threeCommits(database)
            try await database.write { try $0.execute(statement, []) }
            guard let kinds else {
                await #expect(throws: MetadataError(.corrupt, "")) { try await database.homeFaults() }
                return
            }
            let faults = try await database.homeFaults()
            #expect(faults.map(\.kind) == kinds)
            #expect(faults.map(\.revision.number) == revisions)
            #expect(faults.allSatisfy { $0.description.contains("\($0.revision)") })
        }
    }
}
