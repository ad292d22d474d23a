import Metadata
import Model
import Testing

private let other = AccountID(high: 9, low: 9)

private func stored(_ number: UInt64, pack: UInt64 = 1, offset: UInt64? = nil) -> StoredBlock {
    StoredBlock(
        id: Fixture.block(number), plainLength: UInt32(number), pack: PackID(high: 0xFA, low: pack),
        offset: offset ?? number * 1000, length: UInt32(number) + 45)
}

private func pack(_ number: UInt64) -> PackID { PackID(high: 0xFA, low: number) }

private func names(_ numbers: [UInt64]) -> [Digest] { numbers.map { Fixture.block($0).digest } }

extension MetadataConformance {
    static let collectionChecks: [Check] = condemnedChecks + rootChecks + packChecks + turnChecks

    private static let condemnedChecks: [Check] = [
        Check("what is condemned is listed in order, and the time of the first condemnation stays") { database in
            let later = Fixture.time.advanced(by: .seconds(5))
            try await database.write { connection throws in
                let collection = CollectionQueries(connection)
                #expect(try collection.condemn(.block, names([2, 1]), account: Fixture.account, at: Fixture.time) == 2)
                #expect(try collection.condemn(.block, names([1, 3]), account: Fixture.account, at: later) == 1)
                #expect(try collection.condemn(.page, names([7]), account: other, at: later) == 1)
            }
            try await database.read { connection throws in
                let collection = CollectionQueries(connection)
                let all = try collection.condemned(.block, account: Fixture.account, in: .all, limit: 10)
                #expect(all.map(\.id) == names([1, 2, 3]).sorted())
                let since = Dictionary(uniqueKeysWithValues: all.map { ($0.id, $0.since) })
                #expect(names([1, 2, 3]).map { since[$0] } == [Fixture.time, Fixture.time, later])
                let first = try collection.condemned(.block, account: Fixture.account, in: .all, limit: 2)
                let rest = try collection.condemned(
                    .block, account: Fixture.account, in: .all, after: first[1].id, limit: 2)
                #expect(first.map(\.id) + rest.map(\.id) == all.map(\.id))
                #expect(try collection.condemned(.page, account: Fixture.account, in: .all, limit: 10).isEmpty)
                #expect(try collection.condemnedCount() == 4)
                let halves = try DigestRange.all.halves.flatMap {
                    try collection.condemned(.block, account: Fixture.account, in: $0, limit: 10)
                }
                #expect(halves.map(\.id) == all.map(\.id))
            }
        },
        Check("what was not condemned long enough, or was rescued, is not removed") { database in
            let later = Fixture.time.advanced(by: .seconds(5))
            try await database.write { connection throws in
                let collection = CollectionQueries(connection)
                try BlockQueries(connection).record((1...5).map { stored($0) }, account: Fixture.account)
                try BlockQueries(connection).record([stored(1)], account: other)
                try collection.condemn(.block, names([1, 2, 3]), account: Fixture.account, at: Fixture.time)
                try collection.condemn(.block, names([4]), account: Fixture.account, at: later)
                #expect(try collection.rescue(.block, names([2, 5]), account: Fixture.account) == 1)
                #expect(try collection.rescue(.block, names([1]), account: other) == 0)
                let all = names([1, 2, 3, 4, 5])
                let swept = try collection.sweep(.block, all, account: Fixture.account, condemnedBy: Fixture.time)
                #expect(swept.count == 2 && swept.bytes == 46 + 48)
            }
            try await database.read { connection throws in
                let blocks = BlockQueries(connection)
                let asked = (1...5).map { Fixture.block($0) }
                #expect(try blocks.missing(asked, account: Fixture.account) == [1, 3].map { Fixture.block($0) })
                #expect(try blocks.missing([Fixture.block(1)], account: other).isEmpty)
                let left = try CollectionQueries(connection).condemned(
                    .block, account: Fixture.account, in: .all, limit: 9)
                #expect(left.map(\.id) == names([4]))
            }
        },
        Check("noting a block or storing a page that is there takes it out of what is condemned") { database in
            let page = Fixture.page(3)
            try await database.write { connection throws in
                let collection = CollectionQueries(connection)
                try BlockQueries(connection).record([stored(1), stored(2)], account: Fixture.account)
                try PageQueries(connection).store([(page, [1, 2])], account: Fixture.account)
                try collection.condemn(.block, names([1, 2]), account: Fixture.account, at: Fixture.time)
                try collection.condemn(.page, [page.digest], account: Fixture.account, at: Fixture.time)
                try BlockQueries(connection).record([stored(1, pack: 2)], account: Fixture.account)
                try PageQueries(connection).store([(page, [1, 2])], account: Fixture.account)
            }
            try await database.read { connection throws in
                let collection = CollectionQueries(connection)
                #expect(try !collection.hasCondemned(.page, account: Fixture.account))
                let left = try collection.condemned(.block, account: Fixture.account, in: .all, limit: 9)
                #expect(left.map(\.id) == names([2]))
                let place = try BlockQueries(connection).locations([Fixture.block(1)], account: Fixture.account)
                #expect(place[Fixture.block(1)] == stored(1))
            }
        },
        Check("what is there and not condemned is listed in order, page by page") { database in
            try await database.write { connection throws in
                try BlockQueries(connection).record((1...6).map { stored($0) }, account: Fixture.account)
                try BlockQueries(connection).record([stored(9)], account: other)
                try PageQueries(connection).store([(Fixture.page(1), [1])], account: Fixture.account)
                try CollectionQueries(connection).condemn(
                    .block, names([2, 4]), account: Fixture.account, at: Fixture.time)
            }
            try await database.read { connection throws in
                let collection = CollectionQueries(connection)
                let expected = names([1, 3, 5, 6]).sorted()
                let first = try collection.uncondemned(.block, account: Fixture.account, in: .all, limit: 3)
                let rest = try collection.uncondemned(
                    .block, account: Fixture.account, in: .all, after: first.last, limit: 3)
                #expect(first + rest == expected)
                let pages = try collection.uncondemned(.page, account: Fixture.account, in: .all, limit: 3)
                #expect(pages == [Fixture.page(1).digest])
            }
        },
        Check("a page that is removed is counted, and its bytes are gone") { database in
            try await database.write { connection throws in
                let collection = CollectionQueries(connection)
                try PageQueries(connection).store([(Fixture.page(1), [1])], account: Fixture.account)
                let page = Fixture.page(1).digest
                try collection.condemn(.page, [page, page], account: Fixture.account, at: Fixture.time)
                let swept = try collection.sweep(
                    .page, [page, page], account: Fixture.account, condemnedBy: Fixture.time)
                #expect(swept.count == 1 && swept.bytes == 0)
                #expect(try PageQueries(connection).load(Fixture.page(1), account: Fixture.account) == nil)
            }
        },
    ]

    private static let rootChecks: [Check] = [
        Check("all versions of a namespace are listed, page by page, thinned or not") { database in
            try await database.prepareHome()
            try await database.commit(
                1, [NodeChange(1, Fixture.file("a", content: 1)), NodeChange(2, Fixture.folder("d"))])
            try await database.commit(2, [NodeChange(1, base: 1, Fixture.file("a", content: 2))])
            try await database.commit(3, [NodeChange(1, base: 2, nil)])
            try await database.write {
                try $0.execute("UPDATE node SET thinned = $1 WHERE valid_to = 2", [.integer(77)])
            }
            try await database.read { connection throws in
                let collection = CollectionQueries(connection)
                #expect(try collection.accounts() == [Fixture.account])
                let all = try collection.roots(in: Fixture.namespace, after: nil, limit: 10)
                #expect(all.map(\.node) == [1, 1, 2].map { Fixture.node($0) })
                #expect(all.map(\.revision.number) == [1, 2, 1])
                #expect(all.map(\.thinned) == [Timestamp(nanoseconds: 77), nil, nil])
                #expect(all[2].content == nil && all[0].content?.size == 1000 && all[1].content?.id.level == 2)
                let first = try collection.roots(in: Fixture.namespace, after: nil, limit: 1)
                let rest = try collection.roots(in: Fixture.namespace, after: first[0], limit: 5)
                #expect(first + rest == all)
            }
        },
        Check("the change-sets of pending uploads are listed, and no others") { database in
            try await database.prepareHome()
            try await database.write { connection throws in
                let uploads = UploadQueries(connection)
                for number in 1...4 as ClosedRange<UInt64> {
                    try uploads.create(Fixture.uploadRecord(number, changes: number == 2 ? nil : [UInt8(number)]))
                }
                try uploads.setState(Fixture.upload(3), .refused)
            }
            try await database.read { connection throws in
                let collection = CollectionQueries(connection)
                let all = try collection.pendingChangeSets(in: Fixture.namespace, after: nil, limit: 9)
                #expect(all.map(\.changes) == [[1], [4]])
                let rest = try collection.pendingChangeSets(in: Fixture.namespace, after: all[0], limit: 9)
                #expect(rest == [all[1]])
            }
        },
    ]

    private static let packChecks: [Check] = [
        Check("how much of a pack is used is counted over all accounts") { database in
            try await database.write { connection throws in
                try BlockQueries(connection).record([stored(1), stored(2, pack: 2)], account: Fixture.account)
                try BlockQueries(connection).record([stored(3)], account: other)
                let collection = CollectionQueries(connection)
                #expect(try collection.use(of: pack(1)) == PackUse(records: 2, bytes: 46 + 48))
                #expect(try collection.use(of: pack(5)) == PackUse(records: 0, bytes: 0))
            }
        },
        Check("a pack that is used is not doomed, and one that is used again stays") { database in
            try await database.write { connection throws in
                let collection = CollectionQueries(connection)
                try BlockQueries(connection).record([stored(1)], account: Fixture.account)
                #expect(try collection.doom([pack(1), pack(2), pack(3)], at: Fixture.time) == 2)
                #expect(try collection.doom([pack(2)], at: Fixture.time.advanced(by: .seconds(9))) == 0)
                #expect(try collection.doomed().map(\.since) == [Fixture.time, Fixture.time])
                try BlockQueries(connection).record([stored(2, pack: 2)], account: Fixture.account)
                #expect(try collection.doomed().map(\.pack) == [pack(3)])
                #expect(try !collection.decide(on: pack(2), at: Fixture.time))
            }
        },
        Check("no place is noted in a pack that is being removed, and nothing else of that batch") { database in
            try await database.write { connection throws in
                let collection = CollectionQueries(connection)
                #expect(try collection.doom([pack(3)], at: Fixture.time) == 1)
                #expect(try collection.decide(on: pack(3), at: Fixture.time))
                #expect(try collection.doomed().map(\.isGoing) == [true])
            }
            await #expect(throws: PackRemoved(pack(3))) {
                try await database.write {
                    try BlockQueries($0).record([stored(1), stored(2, pack: 3)], account: Fixture.account)
                }
            }
            try await database.write { connection throws in
                let missing = try BlockQueries(connection).missing([Fixture.block(1)], account: Fixture.account)
                #expect(missing == [Fixture.block(1)])
                try CollectionQueries(connection).forget([pack(3)])
                #expect(try CollectionQueries(connection).doomed().isEmpty)
            }
        },
        Check("a block is moved only from the place that it is at") { database in
            let to = stored(1, pack: 2, offset: 5)
            try await database.write { connection throws in
                try BlockQueries(connection).record([stored(1)], account: Fixture.account)
                let collection = CollectionQueries(connection)
                let stale = stored(1, offset: 4)
                #expect(try collection.move([(account: Fixture.account, from: stale, to: to)]) == 0)
                #expect(try collection.move([(account: other, from: stored(1), to: to)]) == 0)
                #expect(try collection.move([(account: Fixture.account, from: stored(1), to: to)]) == 1)
                let place = try BlockQueries(connection).locations([to.id], account: Fixture.account)
                #expect(place[to.id] == to)
                #expect(try collection.use(of: pack(1)).records == 0)
            }
            await #expect(throws: PackRemoved(pack(4))) {
                try await database.write { connection throws in
                    let collection = CollectionQueries(connection)
                    try collection.doom([pack(4)], at: Fixture.time)
                    _ = try collection.decide(on: pack(4), at: Fixture.time)
                    _ = try collection.move([
                        (account: Fixture.account, from: to, to: stored(1, pack: 4, offset: 1))
                    ])
                }
            }
        },
    ]

    private static let turnChecks: [Check] = [
        Check("the newest run has the turn, and its progress is kept") { database in
            try await database.write { connection throws in
                let collection = CollectionQueries(connection)
                #expect(try collection.lastTurn() == nil)
                #expect(throws: CollectionSuperseded.self) { try collection.ensureTurn([1]) }
                try collection.beginTurn([1], at: Fixture.time)
                try collection.ensureTurn([1])
                try collection.beginTurn([2], at: Fixture.time.advanced(by: .seconds(1)))
                #expect(throws: CollectionSuperseded.self) { try collection.ensureTurn([1]) }
                try collection.ensureTurn([2])
                #expect(try collection.lastTurn() == Fixture.time.advanced(by: .seconds(1)))
                #expect(try collection.lastAccount() == nil)
                try collection.setLastAccount(Fixture.account, at: Fixture.time)
                #expect(try collection.lastAccount() == Fixture.account)
                try collection.setLastAccount(nil, at: Fixture.time)
                #expect(try collection.lastAccount() == nil)
            }
        }
    ]
}
