import Metadata
import Model
import Testing

extension MetadataConformance {
    private static let hot = PackID(high: 0xA0, low: 1)
    private static let cold = PackID(high: 0xC0, low: 1)
    private static let today = Day(number: 20_000)

    private static func moment(_ seconds: Int64) -> Timestamp { Fixture.time.advanced(by: .seconds(seconds)) }

    private static func stored(_ number: UInt64, pack: PackID = hot, tier: BlockTier = .hot) -> StoredBlock {
        StoredBlock(
            id: Fixture.block(number), plainLength: 1000, pack: pack, offset: 100 * number, length: 50 + UInt32(number),
            tier: tier)
    }

    private static func move(_ number: UInt64, from pack: PackID = hot, to other: PackID = cold) -> BlockMove {
        BlockMove(from: stored(number, pack: pack), pack: other, offset: 7 * number, length: 30)
    }

    private static func record(_ numbers: ClosedRange<UInt64>, in database: any MetadataDatabase) async throws {
        try await database.write {
            try BlockQueries($0).record(numbers.map { stored($0) }, account: Fixture.account)
        }
    }

    private static func row(_ number: UInt64, in database: any MetadataDatabase) async throws -> StoredBlock? {
        try await database.read {
            try BlockQueries($0).locations([Fixture.block(number)], account: Fixture.account)[Fixture.block(number)]
        }
    }

    private static func archive(_ numbers: [UInt64], in database: any MetadataDatabase) async throws -> Int {
        try await database.write {
            try ArchiveQueries($0).archive(numbers.map { move($0) }, account: Fixture.account, today: today)
        }
    }

    static let archiveChecks = tierChecks + readingChecks + archiveVersionChecks + thawChecks

    private static let tierChecks: [Check] = [
        Check("a block in the archive has its place there, and counts as missing until it is stored again") {
            database in
            try await record(1...3, in: database)
            #expect(try await archive([1, 2], in: database) == 2)
            let there = StoredBlock(
                id: Fixture.block(1), plainLength: 1000, pack: cold, offset: 7, length: 30, tier: .archive)
            #expect(try await row(1, in: database) == there)
            let ids = (1...4).map { Fixture.block($0) }
            let missing = try await database.read { try BlockQueries($0).missing(ids, account: Fixture.account) }
            #expect(missing == [1, 2, 4].map { Fixture.block($0) })
            let other = PackID(high: 0xB0, low: 1)
            try await database.write {
                try BlockQueries($0).record([stored(1, pack: other), stored(3, pack: other)], account: Fixture.account)
            }
            #expect(try await row(1, in: database) == stored(1, pack: other))
            #expect(try await row(3, in: database) == stored(3), "a hot block stays where it is")
        },
        Check("only a row that is as it was moves, to the archive and back") { database in
            try await record(1...2, in: database)
            let stale = BlockMove(from: stored(1, pack: PackID(high: 9, low: 9)), pack: cold, offset: 1, length: 1)
            try await database.write { connection throws in
                let queries = ArchiveQueries(connection)
                #expect(try queries.archive([stale, move(7)], account: Fixture.account, today: today) == 0)
                #expect(try queries.archive([move(1)], account: AccountID(high: 1, low: 1), today: today) == 0)
                #expect(try queries.archive([move(1), move(1)], account: Fixture.account, today: today) == 1)
                let there = BlockMove(
                    from: StoredBlock(id: Fixture.block(1), plainLength: 1000, pack: cold, offset: 7, length: 30),
                    pack: hot, offset: 900, length: 30)
                #expect(try queries.bringBack([move(2)], account: Fixture.account, keeping: today) == 0)
                #expect(try queries.bringBack([there, there], account: Fixture.account, keeping: today) == 1)
            }
            #expect(
                try await row(1, in: database)
                    == StoredBlock(id: Fixture.block(1), plainLength: 1000, pack: hot, offset: 900, length: 30))
        },
        Check("nothing is brought back into a pack that is being removed") { database in
            try await record(1...1, in: database)
            _ = try await archive([1], in: database)
            let doomed = PackID(high: 0xD0, low: 1)
            let back = BlockMove(
                from: StoredBlock(id: Fixture.block(1), plainLength: 1000, pack: cold, offset: 7, length: 30),
                pack: doomed, offset: 0, length: 30)
            for (state, moved) in [(1, 0), (0, 1)] as [(Int64, Int)] {
                try await database.write { connection throws in
                    try connection.execute("DELETE FROM doomed_pack", [])
                    try connection.execute(
                        "INSERT INTO doomed_pack (pack, since, state) VALUES ($1, 1, $2)",
                        [.blob(doomed.bytes), .integer(state)])
                    let count = try ArchiveQueries(connection).bringBack(
                        [back], account: Fixture.account, keeping: today)
                    #expect(count == moved)
                }
            }
        },
        Check("what an account has in the archive is counted, and packs that it names are known") { database in
            try await record(1...4, in: database)
            try await database.read { connection throws in
                #expect(try !ArchiveQueries(connection).hasAny(Fixture.account))
                #expect(try ArchiveQueries(connection).total(of: Fixture.account).blocks == 0)
            }
            _ = try await archive([2, 3, 4], in: database)
            try await database.read { connection throws in
                let queries = ArchiveQueries(connection)
                #expect(try queries.hasAny(Fixture.account) && !queries.hasAny(AccountID(high: 1, low: 1)))
                let total = try queries.total(of: Fixture.account)
                #expect(total.blocks == 3 && total.bytes == 90)
                #expect(try queries.isNamed(cold))
                #expect(try !queries.isNamed(hot), "a hot pack is none of the archive's")
            }
        },
        Check("what is remembered of the work comes back") { database in
            let (namespace, moment) = (Fixture.namespace, Fixture.time)
            try await database.write { connection throws in
                let queries = ArchiveQueries(connection)
                #expect(try queries.warmed(namespace) == nil && queries.lastRound() == nil && queries.region() == nil)
                for number in [3, 300_000] as [UInt64] {
                    try queries.noteWarmed(namespace, Revision(number), at: moment)
                    #expect(try queries.warmed(namespace) == Revision(number))
                }
                try queries.noteRound(at: moment)
                try queries.remember(region: RegionID(high: 5, low: 6), directory: "/cold", at: moment)
                #expect(try queries.warmed(NamespaceID(high: 8, low: 8)) == nil)
                #expect(try queries.lastRound() == moment)
                #expect(try queries.region() == RegionID(high: 5, low: 6))
                #expect(try queries.directory() == "/cold")
            }
        },
        Check("packs that nothing names are remembered with the time since when") { database in
            let packs = [
                PackID(high: 1, low: 2): Fixture.time, PackID(high: .max, low: 0): Timestamp(nanoseconds: -5),
            ]
            try await database.write { connection throws in
                let queries = ArchiveQueries(connection)
                #expect(try queries.unnamedPacks().isEmpty)
                try queries.noteUnnamedPacks(packs, at: Fixture.time)
                #expect(try queries.unnamedPacks() == packs)
                try queries.noteUnnamedPacks([:], at: Fixture.time)
                #expect(try queries.unnamedPacks().isEmpty)
                try WorkProgressQueries(connection).set([1, 2, 3], of: "archive unnamed packs", at: Fixture.time)
                #expect(throws: MetadataError.self) { try queries.unnamedPacks() }
            }
        },
        Check("a copy without an archive has every block hot, and nothing else is different") { database in
            try await record(1...3, in: database)
            #expect(try await archive([1, 2], in: database) == 2)
            let before = try await [row(1, in: database), row(2, in: database), row(3, in: database)]
            try await database.write { connection throws in
                let queries = ArchiveQueries(connection)
                try queries.remember(region: RegionID(high: 5, low: 6), directory: "/cold", at: Fixture.time)
                try WorkProgressQueries(connection).set([1], of: "scrub", at: Fixture.time)
                try queries.forgetArchive()
                #expect(try queries.region() == nil && queries.directory() == nil)
                #expect(try WorkProgressQueries(connection).value(of: "scrub") == [1])
            }
            for (number, old) in zip([1, 2, 3] as [UInt64], before) {
                let new = try #require(try await row(number, in: database))
                #expect(new.tier == .hot)
                #expect(new.pack == old?.pack && new.offset == old?.offset && new.length == old?.length)
            }
        },
    ]

    private static func movable(_ database: any MetadataDatabase, on day: Day, unreadSince: Day) async throws
        -> [UInt64]
    {
        try await database.read { connection throws in
            let found = try ArchiveQueries(connection).movable(
                (1...9).map { Fixture.block($0) }, account: Fixture.account, unreadSince: unreadSince, today: day)
            return (1...9).filter { found[Fixture.block($0)] != nil }
        }
    }

    private static let readingChecks: [Check] = [
        Check("a block may leave when nobody has read it lately and it is not kept") { database in
            try await record(1...5, in: database)
            let (day, later) = (today, Day(number: today.number + 30))
            try await database.write { connection throws in
                let queries = ArchiveQueries(connection)
                try queries.noteReads([2, 3].map { Fixture.block($0) }, account: Fixture.account, on: day)
                try queries.noteReads([3].map { Fixture.block($0) }, account: Fixture.account, on: later)
                try queries.noteReads([3].map { Fixture.block($0) }, account: Fixture.account, on: day)
                try queries.keep([4].map { Fixture.block($0) }, account: Fixture.account, until: later)
                try queries.keep([4].map { Fixture.block($0) }, account: Fixture.account, until: day)
            }
            _ = try await archive([5], in: database)
            #expect(try await movable(database, on: day, unreadSince: day) == [1])
            #expect(try await movable(database, on: day, unreadSince: Day(number: day.number + 1)) == [1, 2])
            #expect(try await movable(database, on: later, unreadSince: later) == [1, 2])
            let after = Day(number: later.number + 1)
            #expect(try await movable(database, on: after, unreadSince: after) == [1, 2, 3, 4])
            try await database.read { connection throws in
                let queries = ArchiveQueries(connection)
                func inUse(_ numbers: [UInt64], _ read: Day, _ day: Day) throws -> Bool {
                    try queries.areInUse(
                        numbers.map { Fixture.block($0) }, account: Fixture.account, readSince: read, today: day)
                }
                #expect(try inUse([1, 3], later, after))
                #expect(try !inUse([1, 2], later, after))
                #expect(try inUse([1, 4], after, later))
                #expect(try !inUse([1, 4], after, after))
            }
        },
        Check("what is kept does not go, even when it was found before; what was kept is not asked for its readings") {
            database in
            try await record(1...2, in: database)
            try await database.write { connection throws in
                let queries = ArchiveQueries(connection)
                try queries.keep([Fixture.block(1)], account: Fixture.account, until: today)
                try queries.noteReads([Fixture.block(1)], account: Fixture.account, on: today)
            }
            #expect(try await archive([1, 2], in: database) == 1)
            #expect(try await row(1, in: database)?.tier == .hot)
            let tomorrow = Day(number: today.number + 1)
            #expect(try await movable(database, on: tomorrow, unreadSince: .init(number: 0)) == [1])
            try await database.write {
                try ArchiveQueries($0).noteReads([Fixture.block(1)], account: Fixture.account, on: tomorrow)
            }
            #expect(try await movable(database, on: tomorrow, unreadSince: tomorrow) == [])
        },
    ]

    private static func contents(_ versions: [OrderedVersion]) -> [UInt64] { versions.map { $0.content.size / 1000 } }

    private static let start = ChangePosition(revision: .zero, node: .root)

    private static let archiveVersionChecks: [Check] = [
        Check("versions are found by when they ended and began, and the files of the head by node") { database in
            try await database.prepareHome()
            _ = try await database.commit(1, [NodeChange(1, Fixture.file("a", content: 1))], at: moment(3600 * 1))
            _ = try await database.commit(
                2, [NodeChange(2, Fixture.file("b", content: 2)), NodeChange(3, Fixture.folder("f"))],
                at: moment(3600 * 2))
            _ = try await database.commit(
                3, [NodeChange(1, base: 1, Fixture.file("a", content: 3))], at: moment(3600 * 3))
            _ = try await database.commit(
                4, [NodeChange(2, base: 2, nil), NodeChange(3, base: 2, nil)], at: moment(3600 * 4))
            _ = try await database.commit(
                5, [NodeChange(1, base: 3, Fixture.file("a", content: 4))], at: moment(3600 * 5))
            let namespace = Fixture.namespace
            try await database.read { connection throws in
                let queries = ArchiveQueries(connection)
                func ended(_ upTo: UInt64, after: ChangePosition = start, limit: Int = 9) throws -> [OrderedVersion] {
                    try queries.endedVersions(in: namespace, after: after, upTo: Revision(upTo), limit: limit)
                }
                #expect(contents(try ended(9)) == [1, 2, 3])
                #expect(contents(try ended(4)) == [1, 2])
                #expect(contents(try ended(9, limit: 2)) == [1, 2])
                let second = try ended(9, limit: 2)[1].position
                #expect(second == ChangePosition(revision: Revision(4), node: Fixture.node(2)))
                #expect(contents(try ended(9, after: second)) == [3])
                let begun = try queries.begunVersions(
                    in: namespace, after: ChangePosition(revision: Revision(1), node: NodeID(high: .max, low: .max)),
                    upTo: Revision(9), limit: 9)
                #expect(contents(begun) == [2, 3, 4])
                let files = try queries.currentFiles(in: namespace, after: .root, limit: 9)
                #expect(contents(files) == [4])
                #expect(files.map(\.position.revision) == [Revision(5)])
                #expect(try queries.currentFiles(in: namespace, after: Fixture.node(1), limit: 9).isEmpty)
                for (hours, revision) in [(0, 0), (1, 1), (3, 3), (99, 5)] as [(Int64, UInt64)] {
                    let found = try CommitQueries(connection).revision(at: moment(3600 * hours + 1), in: namespace)
                    #expect(found == Revision(revision))
                }
            }
            try await database.write { connection throws in
                try connection.execute("UPDATE node SET thinned = 1 WHERE valid_to = 3", [])
                let versions = try ArchiveQueries(connection).endedVersions(
                    in: namespace, after: start, upTo: Revision(9), limit: 9)
                #expect(contents(versions) == [2, 3], "a thinned version needs nothing")
            }
        }
    ]

    private static func request(
        _ number: UInt64, level: UInt8 = 1, device: DeviceID = Fixture.device, after seconds: Int64 = 0
    ) -> ThawRequest {
        ThawRequest(
            account: Fixture.account, content: ContentID(level: level, digest: Fixture.digest(number)), device: device,
            requested: Fixture.time.advanced(by: .seconds(seconds)))
    }

    private static let thawChecks: [Check] = [
        Check("requests wait, are expected, become due, end, are asked again, and are forgotten") { database in
            try await database.write { connection throws in
                let queries = ThawQueries(connection)
                let (one, two) = (request(1, after: 5), request(2, level: 0, after: 1))
                try queries.ask([one, two])
                try queries.ask([request(1, after: 9)])
                #expect(try queries.due(by: Fixture.time, limit: 9) == [two, one], "the oldest first, and each once")
                try queries.expect([one], at: moment(100))
                #expect(try queries.due(by: moment(99), limit: 9) == [two])
                #expect(try queries.due(by: moment(100), limit: 9).map(\.content) == [two.content, one.content])
                #expect(try queries.nextReady() == moment(100))
                let ended = try queries.end([one, request(3)], as: .ready, at: moment(120), until: moment(200))
                #expect(ended == [one])
                #expect(try queries.end([one], as: .failed, at: moment(121), until: moment(200)).isEmpty)
                try queries.expect([one], at: moment(500))
                let known = try queries.requests(
                    for: [one.content, two.content, request(3).content], account: Fixture.account,
                    device: Fixture.device)
                #expect(known[one.content]?.state == .ready)
                #expect(known[one.content]?.ready == moment(120))
                #expect(known[one.content]?.expires == moment(200))
                #expect(known[two.content] == two)
                #expect(known.count == 2)
                #expect(try queries.counts() == [.waiting: 1, .ready: 1])
                try queries.ask([request(1, after: 130)])
                #expect(try queries.counts() == [.waiting: 2])
                #expect(try queries.due(by: moment(130), limit: 9).map(\.requested) == [moment(1), moment(130)])
                _ = try queries.end([one, two], as: .failed, at: moment(140), until: moment(200))
                #expect(try queries.forget(before: moment(200)) == 0)
                #expect(try queries.forget(before: moment(201)) == 2)
                #expect(try queries.counts().isEmpty && queries.nextReady() == nil)
            }
        },
        Check("each device waits for itself") { database in
            let other = DeviceID(high: 0xDE, low: 2)
            try await database.write { connection throws in
                let queries = ThawQueries(connection)
                try queries.ask([request(1), request(1, device: other), request(1, level: 2)])
                #expect(try queries.counts() == [.waiting: 3])
                _ = try queries.end([request(1)], as: .ready, at: Fixture.time, until: Fixture.time)
                let left = try queries.requests(
                    for: [request(1).content], account: Fixture.account, device: other)
                #expect(left.values.map(\.state) == [.waiting])
                #expect(try queries.due(by: Fixture.time, limit: 1).count == 1)
            }
        },
    ]
}
