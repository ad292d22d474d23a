import Metadata
import Model
import Testing

private let other = AccountID(high: 9, low: 9)

private func stored(_ number: UInt64, pack: UInt64 = 1) -> StoredBlock {
    StoredBlock(
        id: Fixture.block(number), plainLength: UInt32(number), pack: PackID(high: 0xFA, low: pack),
        offset: number * 1000, length: UInt32(number) + 45)
}

extension MetadataConformance {
    static let contentChecks: [Check] = [
        Check("pages come back by account, and the first bytes of a page stay") { database in
            let (one, two) = (Fixture.page(1), Fixture.page(2))
            try await database.write { connection throws in
                try PageQueries(connection).store([(one, [1]), (two, [])], account: Fixture.account)
                try PageQueries(connection).store([(one, [9])], account: Fixture.account)
            }
            try await database.read { connection throws in
                let pages = PageQueries(connection)
                #expect(try pages.load(one, account: Fixture.account) == [1])
                #expect(try pages.load(two, account: Fixture.account) == [])
                #expect(try pages.load(one, account: other) == nil)
                let wanted = [two, one, Fixture.page(3), one]
                #expect(try pages.load(wanted, account: Fixture.account) == [one: [1], two: []])
                #expect(try pages.load(wanted, account: other).isEmpty)
            }
        },
        Check("missing pages are named in the order asked, each once") { database in
            try await database.write { try PageQueries($0).store([(Fixture.page(2), [2])], account: Fixture.account) }
            let asked = [3, 2, 1, 3].map { Fixture.page($0) }
            try await database.read { connection throws in
                let pages = PageQueries(connection)
                #expect(try pages.missing(asked, account: Fixture.account) == [Fixture.page(3), Fixture.page(1)])
                #expect(try pages.missing([], account: Fixture.account).isEmpty)
                #expect(try pages.missing(asked, account: other) == [3, 2, 1].map { Fixture.page($0) })
            }
        },
        Check("blocks come back by account, and the first place of a block stays") { database in
            try await database.write { connection throws in
                try BlockQueries(connection).record([stored(1), stored(2)], account: Fixture.account)
                try BlockQueries(connection).record([stored(1, pack: 5)], account: Fixture.account)
                try BlockQueries(connection).record([stored(1, pack: 7)], account: other)
            }
            try await database.read { connection throws in
                let blocks = BlockQueries(connection)
                let wanted = [1, 2, 3, 1].map { Fixture.block($0) }
                #expect(
                    try blocks.locations(wanted, account: Fixture.account)
                        == [Fixture.block(1): stored(1), Fixture.block(2): stored(2)])
                #expect(try blocks.locations(wanted, account: other) == [Fixture.block(1): stored(1, pack: 7)])
                #expect(try blocks.missing(wanted, account: other) == [Fixture.block(2), Fixture.block(3)])
            }
        },
        Check("the blocks of a pack are listed by their offsets, page by page") { database in
            try await database.write { connection throws in
                try BlockQueries(connection).record([5, 3, 9].map { stored($0) }, account: Fixture.account)
                try BlockQueries(connection).record([stored(4), stored(1, pack: 2)], account: other)
            }
            try await database.read { connection throws in
                let (blocks, pack) = (BlockQueries(connection), PackID(high: 0xFA, low: 1))
                let first = try blocks.blocks(in: pack, limit: 2)
                #expect(first.map(\.block) == [stored(3), stored(4)])
                #expect(first.map(\.account) == [Fixture.account, other])
                let rest = try blocks.blocks(in: pack, from: first[1].block.offset + 1, limit: 10)
                #expect(rest.map(\.block) == [stored(5), stored(9)])
            }
        },
        Check("the largest numbers of a block come back, and what is too large is refused") { database in
            func block(_ offset: UInt64) -> StoredBlock {
                StoredBlock(
                    id: Fixture.block(1), plainLength: .max, pack: PackID(high: 1, low: 1), offset: offset,
                    length: .max)
            }
            let largest = block(UInt64(Int64.max))
            try await database.write { try BlockQueries($0).record([largest], account: Fixture.account) }
            let found = try await database.read {
                try BlockQueries($0).locations([largest.id], account: Fixture.account)
            }
            #expect(found == [largest.id: largest])
            let tooLarge = block(UInt64(Int64.max) + 1)
            await #expect(throws: MetadataError(.constraint, "")) {
                try await database.write { try BlockQueries($0).record([tooLarge], account: other) }
            }
        },
        Check("lists of every length around the sizes of chunks are looked up whole") { database in
            try await database.write { connection throws in
                let even = stride(from: 0, to: 1200, by: 2).map { stored($0) }
                try BlockQueries(connection).record(even, account: Fixture.account)
            }
            for count in [0, 1, 2, 4, 7, 8, 9, 15, 33, 63, 64, 65, 127, 200, 255, 256, 257, 600, 1200] as [UInt64] {
                let asked = (0..<count).map { Fixture.block($0) }
                try await database.read { connection throws in
                    let blocks = BlockQueries(connection)
                    let odd = (0..<count).filter { $0 % 2 == 1 }.map { Fixture.block($0) }
                    #expect(try blocks.missing(asked, account: Fixture.account) == odd)
                    #expect(try blocks.locations(asked, account: Fixture.account).count == asked.count - odd.count)
                }
            }
        },
    ]
}
