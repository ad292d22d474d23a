import Metadata
import Model
import Storage
import TestSupport
import Testing

@testable import Files

@Suite("Space that becomes free")
struct FreedSpaceTests {
    @Test(
        "what usage says is not needed is what the collection frees, to the byte",
        arguments: 11...13 as ClosedRange<UInt64>)
    func unneeded(seed: UInt64) async throws {
        let shop = try await Workshop(seed: seed)
        let ada = try await shop.account()
        try await shop.setPolicy(Workshop.daily)
        var editor = Editor(seed: seed)
        for _ in 0..<40 { try await editor.act(shop, ada) }
        let whole = try await shop.usage()
        #expect(whole.unneededBytes == 0)
        let thinned = try await shop.thin()
        let before = try await shop.usage()
        #expect(before.stored == whole.stored && before.versions < whole.versions)
        #expect(thinned.bytes > 0 && before.keptBytes + thinned.bytes <= whole.keptBytes)
        let freed = try await shop.settle()
        let after = try await shop.usage()
        #expect(freed.sweptBytes > 0 && freed.sweptBytes == before.unneededBytes)
        #expect(freed.sweptBytes == before.stored.sealedBytes - after.stored.sealedBytes)
        #expect(UInt64(freed.sweptBlocks) == before.stored.blocks - after.stored.blocks)
        #expect(after.stored == after.needed && after.needed == before.needed)
        #expect(after.keptBytes == before.keptBytes && after.headBytes == whole.headBytes)
    }

    @Test("a folder that goes with its versions frees what it was said to cost by itself, and not what it shares")
    func folder() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        try await shop.setPolicy(Workshop.brief)
        var random = SeededGenerator(seed: 5)
        let common = random.bytes(4000)
        for folder in ["/d", "/e"] { try await shop.makeFolder(folder, by: ada) }
        for _ in 0..<3 { _ = try await shop.remember("/d/x", common + random.bytes(1500), by: ada) }
        _ = try await shop.remember("/d/y", random.bytes(700), by: ada)
        let other = try await shop.remember("/e/z", random.bytes(900) + common, by: ada)
        let cost = try await MeasureUsage(database: shop.database)("ada", path: RemotePath("/d"))
        #expect(cost.versions == 4 && cost.shared.blocks > 0)
        try await shop.remove("/d", by: ada)
        shop.clock.advance(by: .seconds(40 * 86_400))
        #expect(try await shop.thin().versions == 4)
        let freed = try await shop.settle()
        #expect(freed.sweptBytes == cost.own.sealedBytes && UInt64(freed.sweptBlocks) == cost.own.blocks)
        #expect(try await shop.past([other], by: ada) == ([], [other.revision]))
        await #expect(throws: FilesError(.versionNotKept, "")) { try await shop.restore("/d/y", by: ada) }
    }

    @Test("when nearly all is deleted, the packs shrink to what is left, and with the last file they are gone")
    func deleted() async throws {
        var shop = try await Workshop()
        let ada = try await shop.account()
        try await shop.setPolicy(Workshop.brief)
        var saves: [Saved] = []
        for number in 0..<6 as Range<UInt64> {
            saves += try await shop.remember("/f\(number)", times: 3, seed: 20 + number, by: ada)
        }
        let kept = try await shop.remember("/kept", times: 1, seed: 30, by: ada)[0]
        for number in 0..<6 { try await shop.remove("/f\(number)", by: ada) }
        shop.clock.advance(by: .seconds(40 * 86_400))
        #expect(try await shop.thin().versions == saves.count)
        shop = try await shop.reopened(seed: 2)
        let total = try await shop.settle()
        #expect(total.packsCompacted > 0)
        let framed = try await shop.blocks(of: ada).reduce(56) { $0 + Int($1.length) + 24 }
        #expect(Double(shop.storedBytes) <= 1.15 * Double(framed))
        #expect(try await shop.past(saves + [kept], by: ada) == ([], [kept.revision]))
        try await shop.remove("/kept", by: ada)
        shop.clock.advance(by: .seconds(40 * 86_400))
        _ = try await shop.thin()
        try await shop.settle()
        shop = try await shop.reopened(seed: 3)
        try await shop.settle()
        #expect(try await shop.store.packs().isEmpty && shop.storedBytes == 0)
        #expect(try await shop.usage().stored == StoredTotals())
        #expect(try await shop.complaints() == [])
    }

    @Test("what one account gives up is not taken from another that has the same bytes")
    func accounts() async throws {
        var shop = try await Workshop()
        let ada = try await shop.account()
        let eve = try await shop.account("eve")
        try await shop.setPolicy(Workshop.brief)
        let mine = try await shop.remember("/f", times: 3, seed: 7, by: ada)
        let hers = try await shop.remember("/f", times: 3, seed: 7, by: eve)
        let before = try await shop.usage("eve")
        try await shop.remove("/f", by: ada)
        shop.clock.advance(by: .seconds(40 * 86_400))
        #expect(try await ThinVersions(database: shop.database, clock: shop.clock)(account: ada.account).versions == 3)
        shop = try await shop.reopened(seed: 2)
        try await shop.settle()
        #expect(try await shop.usage().stored == StoredTotals())
        #expect(try await shop.usage("eve") == before)
        #expect(try await shop.past(hers, by: eve).kept.count == 3)
        #expect(try await shop.past(mine, by: ada).kept.isEmpty)
        #expect(try await shop.past(hers, by: eve).faults == [])
        #expect(try await shop.complaints() == [])
    }

    @Test("relief of a full account frees what it promises of old versions, and the next upload is taken")
    func relief() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        try await shop.setPolicy(#"{"ladder":[{"keep":"all"}],"collapse":null,"max_versions":null}"#)
        var saves: [Saved] = []
        for number in 0..<3 as Range<UInt64> {
            saves += try await shop.remember("/f\(number)", times: 6, seed: 40 + number, by: ada)
        }
        shop.clock.advance(by: .seconds(7200))
        let before = try await shop.usage()
        let quota = before.stored.sealedBytes * 8 / 10
        _ = try await SetQuota(database: shop.database)(quota, account: "ada")
        shop.clock.advance(by: .seconds(61))
        await #expect(throws: FilesError(.quotaExceeded, "")) { try await shop.write("/new", [1, 2, 3], by: ada) }
        let reports = try await RelieveQuotas(database: shop.database, clock: shop.clock)()
        let promised = try #require(reports.first)
        let after = try await shop.usage()
        #expect(promised.versions == before.versions - after.versions)
        #expect(after.files == 3 && after.headBytes == before.headBytes)
        let freed = try await shop.settle()
        #expect(freed.sweptBytes >= promised.needed && freed.sweptBytes == after.unneededBytes)
        #expect(try await shop.usage().stored.sealedBytes <= quota * 95 / 100)
        let (faults, kept) = try await shop.past(saves, by: ada)
        #expect(faults == [] && kept.count == saves.count - promised.versions)
        for number in 0..<3 {
            #expect(try await shop.read("/f\(number)", by: ada) == saves[number * 6 + 5].bytes)
        }
        shop.clock.advance(by: .seconds(11))
        try await shop.write("/new", [1, 2, 3], by: ada)
    }

    @Test("what is read without a store gives each kept version whole, and of a collected one not a byte")
    func withoutStore() async throws {
        var shop = try await Workshop()
        let ada = try await shop.account()
        try await shop.setPolicy(Workshop.daily)
        var random = SeededGenerator(seed: 9)
        // All versions share most of their blocks.
        let common = random.bytes(3000)
        var saves: [Saved] = []
        for _ in 0..<6 { saves.append(try await shop.remember("/f", common + random.bytes(800), by: ada)) }
        shop.clock.advance(by: .seconds(86_400))
        #expect(try await shop.thin().versions > 0)
        shop = try await shop.reopened(seed: 2)
        try await shop.settle()
        try await shop.store.close()
        let kept = Set(try await shop.keptRevisions(saves[0].node, of: ada))
        let contents = StoredContents(
            database: shop.database, regions: shop.regions, workers: WorkerPool(workers: 1), account: ada.account,
            key: try await shop.key(of: ada.account))
        for save in saves {
            let states = try await shop.tree(at: save.revision, of: ada)
            let content = try #require(states.values.first?.payload.content)
            var bytes: [UInt8] = []
            if kept.contains(save.revision) {
                try await contents.look(at: content)
                try await contents.read(content) { bytes += $0.joined() }
                #expect(bytes == save.bytes)
            } else {
                await #expect(throws: FilesError(.corruptData, "")) { try await contents.look(at: content) }
                do {
                    try await contents.read(content) { bytes += $0.joined() }
                    Issue.record("revision \(save.revision) was collected and is read")
                } catch let error as FilesError {
                    #expect(error.code == .corruptData && bytes.isEmpty)
                }
            }
        }
    }
}
