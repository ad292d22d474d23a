import Metadata
import Model
import Testing

private func row(
    _ node: UInt64, _ from: Int64, _ to: Int64?, _ name: String, in parent: NodeID = .root, kind: Int64 = 0,
    thinned: Int64? = nil
) -> [SQLValue] {
    let isFile = kind == 1
    return [
        .blob(Fixture.namespace.bytes), .blob(Fixture.node(node).bytes), .integer(from),
        to.map { .integer($0) } ?? .null, .blob(parent.bytes), .blob(Array(name.utf8)), .integer(kind),
        isFile ? .integer(0) : .null, isFile ? .blob(Fixture.digest(node).bytes) : .null,
        isFile ? .integer(Int64(node)) : .null, thinned.map { .integer($0) } ?? .null,
    ]
}

extension MetadataDatabase {
    /// Puts rows into the tree that no commit has made.
    fileprivate func plant(_ rows: [[SQLValue]]) async throws {
        try await write { connection in
            try connection.executeMany(
                """
                INSERT INTO node (namespace, node, valid_from, valid_to, parent, name, kind, level, digest, size, thinned,
                    mode, modified)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, 0)
                """, rows)
        }
    }

    fileprivate func faults(_ limit: Int = 100) async throws -> [TreeFault] {
        try await read { connection in
            let (queries, namespace) = (CheckQueries(connection), Fixture.namespace)
            return try queries.overlaps(in: namespace, limit: limit)
                + queries.sharedNames(in: namespace, limit: limit)
                + queries.missingParents(in: namespace, limit: limit)
                + queries.rowsBeyond(Revision(9), in: namespace, limit: limit)
        }
    }
}

private func fault(_ node: UInt64, _ revision: UInt64, _ kind: TreeFault.Kind) -> TreeFault {
    TreeFault(namespace: Fixture.namespace, node: Fixture.node(node), revision: Revision(revision), kind: kind)
}

private func stored(_ number: UInt64, pack: UInt64 = 1) -> StoredBlock {
    StoredBlock(
        id: Fixture.block(number), plainLength: UInt32(number), pack: PackID(high: 0xFA, low: pack),
        offset: number * 1000, length: UInt32(number) + 45)
}

extension MetadataConformance {
    static let checkChecks: [Check] = treeChecks + walkChecks + progressChecks

    private static let treeChecks: [Check] = [
        Check("rows that follow each other have no fault") { database in
            let folder = Fixture.node(1)
            try await database.plant([
                row(1, 1, 3, "a"), row(1, 3, nil, "b"), row(2, 2, 4, "x", in: folder), row(2, 4, 5, "y", in: folder),
                row(3, 4, nil, "x", in: folder), row(4, 5, 7, "y", in: folder), row(2, 8, nil, "y", in: folder),
                row(5, 3, nil, "a"), row(6, 2, 2 + 1, "gone", in: folder),
            ])
            #expect(try await database.faults().isEmpty)
        },
        Check("rows of a node that overlap are found") { database in
            try await database.plant([
                row(1, 1, 5, "a"), row(1, 4, 6, "b"), row(2, 1, nil, "c"), row(2, 3, 4, "d"), row(3, 1, 2, "e"),
                row(3, 2, nil, "e"),
            ])
            let found = try await database.faults().filter { $0.kind == .overlap }
            #expect(found == [fault(1, 4, .overlap), fault(2, 3, .overlap)])
            #expect(try await database.faults(1).filter { $0.kind == .overlap }.count == 1)
        },
        Check("entries that share a name are found, and only at the same revision and in the same folder") { database in
            try await database.plant([
                row(1, 1, 5, "a"), row(2, 4, 6, "a"), row(3, 6, nil, "a"), row(4, 5, nil, "b", in: Fixture.node(9)),
                row(5, 1, nil, "c"), row(6, 2, 3, "c"), row(9, 1, nil, "d"), row(7, 1, nil, "b"),
            ])
            let found = try await database.faults()
            #expect(found == [fault(1, 1, .sharedName), fault(5, 1, .sharedName)])
        },
        Check("entries are found whose folder comes later, goes earlier, or is none") { database in
            let (folder, file) = (Fixture.node(1), Fixture.node(2))
            try await database.plant([
                row(1, 2, 5, "a"), row(2, 1, nil, "f", kind: 1), row(3, 1, 4, "early", in: folder),
                row(4, 3, 6, "late", in: folder), row(5, 3, nil, "stays", in: folder),
                row(6, 2, 5, "right", in: folder),
                row(7, 2, nil, "no folder", in: file), row(8, 2, nil, "no parent", in: Fixture.node(77)),
            ])
            let found = try await database.faults()
            #expect(found.allSatisfy { $0.kind == .missingParent })
            #expect(Set(found) == Set([(3, 1), (4, 5), (5, 5), (7, 2), (8, 2)].map { fault($0, $1, .missingParent) }))
            #expect(found.count == 5)
        },
        Check("a folder that goes on under another name is there all the time") { database in
            try await database.plant([
                row(1, 1, 3, "a"), row(1, 3, 6, "b"), row(1, 6, nil, "c"), row(2, 2, nil, "x", in: Fixture.node(1)),
            ])
            #expect(try await database.faults().isEmpty)
        },
        Check("rows behind the head are found") { database in
            try await database.plant([row(1, 10, nil, "a"), row(2, 1, 10, "b"), row(3, 9, nil, "c")])
            #expect(try await database.faults() == [fault(1, 10, .beyondHead), fault(2, 1, .beyondHead)])
        },
        Check("folders are named where they are made or moved, page by page") { database in
            let (one, two) = (Fixture.node(1), Fixture.node(2))
            try await database.plant([
                row(1, 1, nil, "a"), row(2, 1, nil, "b"), row(3, 2, 4, "c", in: one), row(3, 4, 5, "d", in: one),
                row(3, 5, nil, "d", in: two), row(4, 3, nil, "f", in: one, kind: 1), row(5, 3, 4, "e", in: two),
                row(5, 6, nil, "e", in: two),
            ])
            let all = try await database.read { connection in
                var found: [[UInt64]] = []
                var last: (node: NodeID, from: Revision)?
                while true {
                    let page = try CheckQueries(connection).movedFolders(in: Fixture.namespace, after: last, limit: 2)
                    found += page.map { [$0.node.low, $0.from.number] }
                    last = page.last
                    if page.count < 2 { return found }
                }
            }
            #expect(all == [[3, 2], [3, 5], [5, 3], [5, 6]])
        },
    ]

    private static let walkChecks: [Check] = [
        Check("kept versions of files are listed page by page, without those that were given up") { database in
            try await database.plant([
                row(1, 1, 3, "a", kind: 1), row(1, 3, 5, "a", kind: 1, thinned: 7), row(1, 5, nil, "a", kind: 1),
                row(2, 2, nil, "d"), row(3, 2, nil, "b", kind: 1),
            ])
            try await database.read { connection throws in
                var found: [KeptFile] = []
                repeat {
                    found += try CheckQueries(connection).keptFiles(in: Fixture.namespace, after: found.last, limit: 1)
                } while found.last?.node != Fixture.node(3)
                #expect(
                    found.map { [$0.node.low, $0.from.number, $0.end?.number ?? 0] } == [
                        [1, 1, 3], [1, 5, 0], [3, 2, 0],
                    ])
                #expect(found[2].content == Content(id: ContentID(level: 0, digest: Fixture.digest(3)), size: 3))
                #expect(
                    try CheckQueries(connection).keptFiles(in: Fixture.namespace, after: found[2], limit: 1).isEmpty)
            }
        },
        Check("the packs that rows name come one after the other, with where their records end") { database in
            try await database.write { connection throws in
                #expect(try CheckQueries(connection).namedPack(after: nil) == nil)
                try BlockQueries(connection).record(
                    [stored(1, pack: 3), stored(2, pack: 3), stored(3, pack: 7)], account: Fixture.account)
            }
            try await database.read { connection throws in
                let queries = CheckQueries(connection)
                let (three, seven) = (PackID(high: 0xFA, low: 3), PackID(high: 0xFA, low: 7))
                #expect(try queries.namedPack(after: nil) == three)
                #expect(try queries.namedPack(after: three) == seven)
                #expect(try queries.namedPack(after: seven) == nil)
                #expect(try queries.end(of: three) == 2047)
                #expect(try queries.end(of: PackID(high: 0, low: 1)) == nil)
            }
        },
        Check("the blocks of a pack are listed page by page, also where accounts or rows share a place") { database in
            let other = AccountID(high: 9, low: 9)
            let twin = StoredBlock(
                id: Fixture.block(50), plainLength: 1, pack: stored(2).pack, offset: stored(2).offset, length: 9)
            try await database.write { connection throws in
                try BlockQueries(connection).record([stored(1), stored(2), twin, stored(3)], account: Fixture.account)
                try BlockQueries(connection).record([stored(2), stored(4, pack: 2)], account: other)
            }
            try await database.read { connection throws in
                let queries = CheckQueries(connection)
                let whole = try queries.blocks(in: stored(1).pack, after: nil, limit: 100)
                #expect(whole.count == 5)
                #expect(whole.map(\.block.offset) == [1000, 2000, 2000, 2000, 3000])
                var found: [(account: AccountID, block: StoredBlock)] = []
                while true {
                    let page = try queries.blocks(in: stored(1).pack, after: found.last, limit: 1)
                    if page.isEmpty { break }
                    found += page
                }
                #expect(found.map(\.block) == whole.map(\.block) && found.map(\.account) == whole.map(\.account))
            }
        },
        Check("the blocks and the pages of an account are listed by id, within bounds") { database in
            let other = AccountID(high: 9, low: 9)
            let ids = (1...9).map { Fixture.block($0) }.sorted()
            try await database.write { connection throws in
                try BlockQueries(connection).record((1...9).map { stored($0) }, account: Fixture.account)
                try BlockQueries(connection).record([stored(10)], account: other)
                try PageQueries(connection).store((1...3).map { (Fixture.page($0), [1]) }, account: Fixture.account)
            }
            try await database.read { connection throws in
                let queries = CheckQueries(connection)
                #expect(try queries.blockCount(of: Fixture.account) == 9)
                let all = try queries.blocks(of: Fixture.account, after: nil, upTo: ids[8], limit: 100)
                #expect(all.map(\.id) == ids)
                let some = try queries.blocks(of: Fixture.account, after: ids[1], upTo: ids[6], limit: 3)
                #expect(some.map(\.id) == Array(ids[2...4]))
                let pages = try queries.pages(of: Fixture.account, after: nil, limit: 2)
                let rest = try queries.pages(of: Fixture.account, after: pages.last?.id, limit: 2)
                #expect((pages + rest).map(\.id) == (1...3).map { Fixture.page($0) }.sorted())
                #expect(try queries.pages(of: other, after: nil, limit: 2).isEmpty)
            }
        },
    ]

    private static let progressChecks: [Check] = [
        Check("how far work has come is kept by its name, with the time, and forgotten at its end") { database in
            let later = Fixture.time.advanced(by: .seconds(5))
            try await database.write { connection throws in
                let work = WorkProgressQueries(connection)
                #expect(try work.value(of: "scrub") == nil)
                #expect(try work.updated(of: "scrub") == nil)
                try work.set([1, 2], of: "scrub", at: Fixture.time)
                try work.set([9], of: "other", at: Fixture.time)
                #expect(try work.updated(of: "scrub") == Fixture.time)
                try work.set([3], of: "scrub", at: later)
                #expect(try work.value(of: "scrub") == [3])
                #expect(try work.updated(of: "scrub") == later)
            }
            try await database.write { try WorkProgressQueries($0).set(nil, of: "scrub", at: later) }
            try await database.read { connection throws in
                let work = WorkProgressQueries(connection)
                #expect(try work.value(of: "scrub") == nil)
                #expect(try work.updated(of: "scrub") == nil)
                #expect(try work.value(of: "other") == [9])
                #expect(try work.updated(of: "other") == Fixture.time)
            }
        },
        Check("the last revision up to a moment is found") { database in
            try await database.prepareHome()
            try await database.write { connection throws in
                for (revision, seconds) in [(1, 10), (2, 20), (3, 30)] as [(Int64, Int64)] {
                    try connection.execute(
                        """
                        INSERT INTO journal (namespace, revision, hash, device, upload, time, changes, digest)
                        VALUES ($1, $2, $3, $3, $4, $5, 0, $3)
                        """,
                        [
                            .blob(Fixture.namespace.bytes), .integer(revision), .blob([0]), .blob([UInt8(revision)]),
                            .integer(seconds * 1_000_000_000),
                        ])
                }
            }
            try await database.read { connection throws in
                let queries = CommitQueries(connection)
                for (seconds, revision) in [(9, 0), (10, 1), (25, 2), (30, 3), (99, 3)] as [(Int64, UInt64)] {
                    let time = Timestamp(nanoseconds: seconds * 1_000_000_000)
                    #expect(try queries.revision(at: time, in: Fixture.namespace) == Revision(revision))
                }
            }
        },
    ]
}
