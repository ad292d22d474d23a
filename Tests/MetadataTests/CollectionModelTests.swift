import Metadata
import MetadataConformance
import MetadataSQLite
import Model
import TestSupport
import Testing

/// Blocks and packs as simple as can be: what is stored, what is condemned since when, and which packs are doomed.
private struct CollectionModel: Equatable {
    struct Doomed: Equatable {
        var since: Timestamp
        var isGoing: Bool
    }

    /// The pack of each block that is stored.
    var stored: [UInt64: UInt64] = [:]
    var condemned: [UInt64: Timestamp] = [:]
    var doomed: [UInt64: Doomed] = [:]

    func isUsed(_ pack: UInt64) -> Bool { stored.values.contains(pack) }

    /// Whether the place is taken; nothing changes when the pack is being removed.
    mutating func record(_ block: UInt64, in pack: UInt64) -> Bool {
        if doomed[pack]?.isGoing == true { return false }
        doomed[pack] = nil
        if stored[block] == nil { stored[block] = pack }
        condemned[block] = nil
        return true
    }

    mutating func condemn(_ blocks: Set<UInt64>, at time: Timestamp) -> Int {
        let new = blocks.filter { condemned[$0] == nil }
        for block in new { condemned[block] = time }
        return new.count
    }

    mutating func rescue(_ blocks: Set<UInt64>) -> Int {
        blocks.filter { condemned.removeValue(forKey: $0) != nil }.count
    }

    mutating func sweep(_ blocks: Set<UInt64>, by time: Timestamp) -> [UInt64] {
        let due = blocks.filter { condemned[$0].map { $0 <= time } ?? false }
        for block in due { condemned[block] = nil }
        return due.filter { stored.removeValue(forKey: $0) != nil }.sorted()
    }

    mutating func doom(_ packs: Set<UInt64>, at time: Timestamp) -> Int {
        let new = packs.filter { !isUsed($0) && doomed[$0] == nil }
        for pack in new { doomed[pack] = Doomed(since: time, isGoing: false) }
        return new.count
    }

    mutating func decide(_ pack: UInt64, at time: Timestamp) -> Bool {
        guard doomed[pack] != nil else { return false }
        doomed[pack] = isUsed(pack) ? nil : Doomed(since: time, isGoing: true)
        return doomed[pack] != nil
    }

    mutating func forget(_ packs: Set<UInt64>) {
        for pack in packs where doomed[pack]?.isGoing == true { doomed[pack] = nil }
    }
}

@Suite("The collector's tables, held against a model")
struct CollectionModelTests {
    private static let blocks = 1...12 as ClosedRange<UInt64>
    private static let packs = 1...5 as ClosedRange<UInt64>

    private func pack(_ number: UInt64) -> PackID { PackID(high: 0xFA, low: number) }

    private func digests(_ numbers: Set<UInt64>) -> [Digest] { numbers.sorted().map { Fixture.block($0).digest } }

    private func some(_ range: ClosedRange<UInt64>, _ dice: inout SeededGenerator) -> Set<UInt64> {
        Set((0..<Int.random(in: 1...4, using: &dice)).map { _ in UInt64.random(in: range, using: &dice) })
    }

    private func block(_ number: UInt64, in pack: UInt64) -> StoredBlock {
        StoredBlock(
            id: Fixture.block(number), plainLength: 9, pack: self.pack(pack), offset: number * 100,
            length: UInt32(number) + 40)
    }

    /// Does one drawn thing to both, and compares the answers.
    private func step(
        _ connection: any MetadataConnection, _ model: inout CollectionModel, _ dice: inout SeededGenerator,
        at time: Timestamp
    ) throws {
        let (collection, account) = (CollectionQueries(connection), Fixture.account)
        let (few, packs) = (some(Self.blocks, &dice), some(Self.packs, &dice))
        let one = UInt64.random(in: Self.packs, using: &dice)
        switch Int.random(in: 0..<9, using: &dice) {
        case 0, 1:
            let number = few.min() ?? 1
            let isTaken = model.record(number, in: one)
            let record = { try BlockQueries(connection).record([block(number, in: one)], account: account) }
            if isTaken { try record() } else { #expect(throws: PackRemoved(pack(one))) { try record() } }
        case 2, 3:
            let count = try collection.condemn(.block, digests(few), account: account, at: time)
            #expect(count == model.condemn(few, at: time))
        case 4:
            #expect(try collection.rescue(.block, digests(few), account: account) == model.rescue(few))
        case 5:
            let due = time.advanced(by: .seconds(-Int64.random(in: 0...8, using: &dice)))
            let swept = try collection.sweep(.block, digests(few), account: account, condemnedBy: due)
            let expected = model.sweep(few, by: due)
            #expect(swept.count == expected.count && swept.bytes == expected.reduce(0) { $0 + $1 + 40 })
        case 6:
            let count = try collection.doom(packs.sorted().map(pack), at: time)
            #expect(count == model.doom(packs, at: time))
        case 7:
            #expect(try collection.decide(on: pack(one), at: time) == model.decide(one, at: time))
        default:
            try collection.forget(packs.map(pack))
            model.forget(packs)
        }
    }

    /// What the tables say, as the model says it.
    private func read(_ connection: any MetadataConnection) throws -> CollectionModel {
        let collection = CollectionQueries(connection)
        let numbers = Dictionary(uniqueKeysWithValues: Self.blocks.map { (Fixture.block($0).digest, $0) })
        var model = CollectionModel()
        for (id, place) in try BlockQueries(connection).locations(
            Self.blocks.map { Fixture.block($0) }, account: Fixture.account)
        {
            model.stored[numbers[id.digest] ?? 0] = place.pack.low
        }
        var last: Digest?
        repeat {
            let page = try collection.condemned(.block, account: Fixture.account, in: .all, after: last, limit: 5)
            for entry in page { model.condemned[numbers[entry.id] ?? 0] = entry.since }
            last = page.last?.id
        } while last != nil
        for entry in try collection.doomed() {
            model.doomed[entry.pack.low] = .init(since: entry.since, isGoing: entry.isGoing)
        }
        return model
    }

    /// Lists that leave the condemned out, and counts of packs.
    private func compareLists(_ connection: any MetadataConnection, _ model: CollectionModel) throws {
        let collection = CollectionQueries(connection)
        let free = Set(model.stored.keys).subtracting(model.condemned.keys)
        let listed = try DigestRange.all.halves.flatMap {
            try collection.uncondemned(.block, account: Fixture.account, in: $0, limit: 99)
        }
        #expect(listed == digests(free).sorted())
        #expect(try collection.condemnedCount() == model.condemned.count)
        #expect(try collection.hasCondemned(.block, account: Fixture.account) == !model.condemned.isEmpty)
        for number in Self.packs {
            let held = model.stored.filter { $0.value == number }.keys
            let use = PackUse(records: held.count, bytes: held.reduce(0) { $0 + $1 + 40 })
            #expect(try collection.use(of: pack(number)) == use)
        }
    }

    @Test("any order of steps leaves what the model says", arguments: 1...4 as ClosedRange<UInt64>)
    func plays(seed: UInt64) async throws {
        let directory = TemporaryDirectory()
        let database = try SQLiteMetadataDatabase(path: directory.appending("metadata.db"))
        try await database.prepareHome()
        try await database.write { connection throws in
            var (model, dice) = (CollectionModel(), SeededGenerator(seed: seed))
            var (removed, refused) = (0, 0)
            for number in 0..<400 as Range<Int64> {
                let before = model
                try step(connection, &model, &dice, at: Fixture.time.advanced(by: .seconds(number)))
                #expect(try read(connection) == model, "seed \(seed), step \(number)")
                try compareLists(connection, model)
                if model.stored.count < before.stored.count { removed += 1 }
                if model.doomed.values.contains(where: \.isGoing) { refused += 1 }
            }
            #expect(removed > 5 && refused > 0, "seed \(seed) has hardly a history")
        }
        try await database.close()
        withExtendedLifetime(directory) {}
    }
}
