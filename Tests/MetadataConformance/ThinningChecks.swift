import Metadata
import Model
import Testing

/// Commits states to one file and removals (nil), one each, a minute apart, from revision `first` on.
private func play(
    _ database: any MetadataDatabase, node: UInt64, _ states: [NodeState?], from first: UInt64 = 1
) async throws {
    var base: UInt64 = 0
    for (index, state) in states.enumerated() {
        let revision = first + UInt64(index)
        let outcome = try await database.commit(
            revision, [NodeChange(node, base: base, state)],
            at: Fixture.time.advanced(by: .seconds(60 * Int64(revision))))
        #expect(outcome.revision == Revision(revision))
        base = state == nil ? 0 : revision
    }
}

private func pin(_ connection: any MetadataConnection, _ node: UInt64, _ revision: Int64) throws {
    try connection.execute(
        "INSERT INTO pin (namespace, node, revision, name, device, created) VALUES ($1, $2, $3, $4, $5, $6)",
        [
            .blob(Fixture.namespace.bytes), .blob(Fixture.node(node).bytes), .integer(revision), .text("kept"),
            .blob(Fixture.device.bytes), .integer(0),
        ])
}

private func thin(
    _ database: any MetadataDatabase, _ node: UInt64, _ past: [UInt64], _ range: (UInt64, UInt64)
) async throws -> Int {
    try await database.write { connection in
        try ThinningQueries(connection).thin(
            Fixture.node(node), in: Fixture.namespace, past: past.map { Revision($0) }, from: Revision(range.0),
            to: Revision(range.1), at: Fixture.time)
    }
}

private func states(_ database: any MetadataDatabase, _ node: UInt64) async throws -> [FileState] {
    try await database.read { try ThinningQueries($0).states(of: Fixture.node(node), in: Fixture.namespace) }
}

extension MetadataConformance {
    static let thinningChecks: [Check] = [
        Check("the states of a file are told with their times, devices and pins") { database in
            try await database.prepareHome()
            try await play(
                database, node: 1,
                [
                    Fixture.file("a", content: 1), Fixture.file("b", content: 1), Fixture.file("b", content: 2), nil,
                ])
            try await database.write { try pin($0, 1, 2) }
            let found = try await states(database, 1)
            #expect(found.map(\.from.number) == [1, 2, 3])
            #expect(found.map { $0.to?.number } == [2, 3, 4])
            #expect(found.map { $0.content?.size } == [1000, 1000, 2000])
            #expect(found.map { $0.began.seconds - Fixture.time.seconds } == [60, 120, 180])
            #expect(found.map { ($0.ended?.seconds ?? 0) - Fixture.time.seconds } == [120, 180, 240])
            #expect(found.map(\.isPinned) == [false, true, false])
            #expect(found.map(\.name.description) == ["a", "b", "b"])
            #expect(found.allSatisfy { $0.device == Fixture.device && !$0.isThinned && $0.parent == .root })
            #expect(try await states(database, 9).isEmpty)
        },
        Check("a pin lies on the state that was there at its revision, whichever that is") { database in
            try await database.prepareHome()
            try await play(database, node: 1, [Fixture.file("a", content: 1)])
            try await play(database, node: 2, [Fixture.file("b", content: 1)], from: 2)
            try await database.write { try pin($0, 1, 2) }
            #expect(try await states(database, 1).map(\.isPinned) == [true])
            _ = try await database.commit(3, [NodeChange(1, base: 1, Fixture.file("a", content: 2))])
            #expect(try await states(database, 1).map(\.isPinned) == [true, false])
        },
        Check("only past states of files are given up, once, and never pinned ones or bytes that the file has again") {
            database in
            try await database.prepareHome()
            try await play(
                database, node: 1,
                [1, 2, 3, 1, 4].map { Fixture.file("a", content: $0) })
            #expect(try await thin(database, 1, [2], (2, 3)) == 1)
            #expect(try await thin(database, 1, [2], (2, 3)) == 0)
            #expect(try await thin(database, 1, [5], (5, 9)) == 0, "the present state")
            try await database.write { try pin($0, 1, 3) }
            #expect(try await thin(database, 1, [3], (3, 4)) == 0, "pinned")
            // Pinned anywhere within the version: another of its states.
            #expect(try await thin(database, 1, [1], (1, 4)) == 0)
            _ = try await database.commit(6, [NodeChange(1, base: 5, Fixture.file("a", content: 1))])
            #expect(try await thin(database, 1, [1], (1, 2)) == 0, "present again")
            _ = try await database.commit(7, [NodeChange(1, base: 6, nil)])
            #expect(try await thin(database, 1, [1], (1, 2)) == 1)
            #expect(try await states(database, 1).map(\.isThinned) == [true, true, false, false, false, false])
            #expect(try await database.homeFaults().isEmpty, "history is as it was")
        },
        Check("folders and links are never given up") { database in
            try await database.prepareHome()
            try await play(database, node: 1, [Fixture.folder("a"), Fixture.folder("b")])
            try await play(
                database, node: 2, [Fixture.symlink("l", to: "x"), Fixture.symlink("l", to: "y")], from: 3)
            #expect(try await thin(database, 1, [1], (1, 2)) == 0)
            #expect(try await thin(database, 2, [3], (3, 4)) == 0)
            let files = try await database.read {
                try ThinningQueries($0).files(in: Fixture.namespace, after: nil, limit: 9)
            }
            #expect(files.isEmpty)
            #expect(try await states(database, 2).map(\.content) == [nil, nil])
        },
        Check("files with a past are found in order, in portions; what was given up is no past") { database in
            try await database.prepareHome()
            for node in 1...6 as ClosedRange<UInt64> {
                let count = node.isMultiple(of: 2) ? 3 : 1
                try await play(
                    database, node: node, (0..<count).map { Fixture.file("f\(node)", content: UInt64($0) + 1) },
                    from: (try await database.homeHead()?.revision.number ?? 0) + 1)
            }
            func files(after: UInt64?, _ limit: Int) async throws -> [NodeID] {
                try await database.read { connection in
                    try ThinningQueries(connection).files(
                        in: Fixture.namespace, after: after.map { Fixture.node($0) }, limit: limit)
                }
            }
            #expect(try await files(after: nil, 9) == [2, 4, 6].map { Fixture.node($0) })
            #expect(try await files(after: nil, 2) == [2, 4].map { Fixture.node($0) })
            #expect(try await files(after: 4, 2) == [Fixture.node(6)])
            #expect(try await files(after: 6, 2).isEmpty)
            let past = try await states(database, 4).filter { $0.to != nil }.map(\.from.number)
            #expect(try await thin(database, 4, past, (past[0], past[1] + 1)) == 2)
            #expect(try await files(after: nil, 9) == [2, 6].map { Fixture.node($0) })
        },
        Check("the bytes of all states of files come in order, with whether they are kept, from any place on") {
            database in
            try await database.prepareHome()
            try await play(database, node: 1, [1, 2, 3].map { Fixture.file("a", content: $0) })
            try await play(database, node: 2, [Fixture.folder("d"), nil], from: 4)
            try await play(database, node: 3, [Fixture.file("b", content: 5)], from: 6)
            _ = try await thin(database, 1, [2], (2, 3))
            let all = try await database.read {
                try ThinningQueries($0).bytes(in: Fixture.namespace, after: nil, .zero, limit: 9)
            }
            #expect(all.map(\.from.number) == [1, 2, 3, 6])
            #expect(all.map(\.isHead) == [false, false, true, true])
            #expect(all.map(\.isKept) == [true, false, true, true])
            let rest = try await database.read {
                try ThinningQueries($0).bytes(in: Fixture.namespace, after: Fixture.node(1), Revision(1), limit: 2)
            }
            #expect(rest == Array(all[1...2]))
        },
        Check("the last place of a node is known after it is gone") { database in
            try await database.prepareHome()
            try await play(database, node: 1, [Fixture.folder("d")])
            try await play(
                database, node: 2,
                [Fixture.file("a"), Fixture.file("b", in: Fixture.node(1)), nil], from: 2)
            let (gone, never) = try await database.read { connection in
                let queries = ThinningQueries(connection)
                return (
                    try queries.lastPlace(of: Fixture.node(2), in: Fixture.namespace),
                    try queries.lastPlace(of: Fixture.node(7), in: Fixture.namespace)
                )
            }
            #expect(gone?.parent == Fixture.node(1))
            #expect(gone?.name == Fixture.name("b"))
            #expect(never == nil)
        },
        Check("namespaces are told with their owners, in portions") { database in
            try await database.prepareHome()
            let second = NamespaceID(high: 0x5B, low: 1)
            try await database.write {
                try NamespaceQueries($0).create(second, owner: Fixture.account, at: Fixture.time)
            }
            let (all, rest) = try await database.read { connection in
                let queries = ThinningQueries(connection)
                return (
                    try queries.namespaces(after: nil, limit: 5).map(\.namespace),
                    try queries.namespaces(after: Fixture.namespace, limit: 5).map(\.owner)
                )
            }
            #expect(all == [Fixture.namespace, second])
            #expect(rest == [Fixture.account])
        },
    ]

    static let retentionChecks: [Check] = [
        Check("policies are set, replaced and taken away, by account, namespace and folder") { database in
            try await database.prepareHome()
            let other = AccountID(high: 0xAC, low: 2)
            func record(_ namespace: NamespaceID, _ folder: NodeID, _ policy: String) -> RetentionRecord {
                RetentionRecord(namespace: namespace, folder: folder, policy: policy, updated: Fixture.time)
            }
            let folder = record(Fixture.namespace, Fixture.node(3), "{}")
            let everywhere = record(RetentionRecord.everywhere, .root, "keep-all")
            let replaced = record(Fixture.namespace, .root, "old")
            let root = record(Fixture.namespace, .root, "default")
            try await database.write { connection in
                let queries = RetentionQueries(connection)
                for record in [folder, everywhere, replaced, root] { try queries.set(record, of: Fixture.account) }
                try queries.set(folder, of: other)
            }
            func all(_ account: AccountID) async throws -> [RetentionRecord] {
                try await database.read { try RetentionQueries($0).all(of: account) }
            }
            #expect(try await all(Fixture.account) == [everywhere, root, folder])
            #expect(try await all(other) == [folder])
            let removed = try await database.write { connection in
                let queries = RetentionQueries(connection)
                return try (0..<2).map { _ in
                    try queries.remove(Fixture.node(3), in: Fixture.namespace, of: Fixture.account)
                }
            }
            #expect(removed == [true, false])
            #expect(try await all(Fixture.account) == [everywhere, root])
            #expect(try await all(other) == [folder])
        },
        Check("an account has no quota until one is set, and its blocks are added up") { database in
            try await database.prepareHome()
            func quota() async throws -> UInt64? {
                try await database.read { try QuotaQueries($0).quota(of: Fixture.account) }
            }
            func stored(_ account: AccountID) async throws -> StoredTotals {
                try await database.read { try QuotaQueries($0).stored(by: account) }
            }
            #expect(try await quota() == nil)
            for limit in [5_000_000_000_000, 0, nil] as [UInt64?] {
                try await database.write { try QuotaQueries($0).setQuota(of: Fixture.account, limit) }
                #expect(try await quota() == limit)
            }
            #expect(try await stored(Fixture.account) == StoredTotals())
            let blocks = (1...3 as ClosedRange<UInt64>).map {
                StoredBlock(
                    id: Fixture.block($0), plainLength: 1000, pack: PackID(high: 1, low: 1), offset: $0 * 100,
                    length: UInt32($0))
            }
            let stranger = AccountID(high: 0xAC, low: 2)
            try await database.write { connection in
                try BlockQueries(connection).record(blocks, account: Fixture.account)
                try BlockQueries(connection).record([blocks[0]], account: stranger)
            }
            var totals = StoredTotals()
            for block in blocks { totals.add(block) }
            #expect(try await stored(Fixture.account) == totals)
            #expect(totals.sealedBytes == 6 && totals.plainBytes == 3000 && totals.blocks == 3)
            for body in [true, false] {
                await #expect(throws: MetadataError(.notFound, "")) {
                    try await database.write { connection in
                        let queries = QuotaQueries(connection)
                        if body { try queries.setQuota(of: stranger, 1) } else { _ = try queries.quota(of: stranger) }
                    }
                }
            }
        },
    ]
}
