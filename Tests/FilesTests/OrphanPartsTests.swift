import Blocks
import Metadata
import Model
import Synchronization
import TestSupport
import Testing

@testable import Files

@Suite("Orphans that are looked for in parts")
struct OrphanPartsTests {
    private func orphans(_ share: Int, _ shop: Workshop, _ ada: Principal) async throws -> Set<BlockID> {
        let found = Mutex<[BlockID]>([])
        let setting = CheckSetting(
            database: shop.database, regions: [], keys: [:], workers: WorkerPool(workers: 1), isFull: false,
            repairs: false
        ) { finding in
            if finding.kind == .orphanBlock, let block = finding.block { found.withLock { $0.append(block) } }
        }
        let contents = CheckContents(setting: setting, account: ada.account, damage: PackDamage())
        try await contents.check(ada.home)
        var find = FindOrphans(setting: setting, account: ada.account, namespaces: [ada.home])
        find.share = share
        try await find(contents.memo)
        let blocks = found.withLock { $0 }
        #expect(Set(blocks).count == blocks.count, "each is told once")
        return Set(blocks)
    }

    @Test("are the same as those that are looked for at once")
    func parts() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        var generator = SeededGenerator(seed: 4)
        for number in 0..<5 { try await shop.put("/\(number)", generator.bytes(8000 * number + 50), by: ada) }
        let nobody = SampleFile(random: 6000, seed: 9).blocks
        _ = try await shop.send(nobody, by: ada)
        let whole = try await orphans(1 << 20, shop, ada)
        #expect(whole == Set(nobody.map(\.id)))
        for share in [1, 7, 50, 200] { #expect(try await orphans(share, shop, ada) == whole, "\(share)") }
    }

    @Test("a block in more than one account is judged for each by itself")
    func accounts() async throws {
        let shop = try await Workshop()
        let (ada, eve) = (try await shop.account(), try await shop.account("eve"))
        let file = SampleFile(random: 3000, seed: 5)
        try await shop.put("/f", file.bytes, by: ada)
        _ = try await shop.send(file.blocks, by: eve)
        #expect(try await orphans(10, shop, ada).isEmpty)
        #expect(try await orphans(10, shop, eve) == Set(file.blocks.map(\.id)))
    }
}
