import Blocks
import Files
import Metadata
import Model
import Storage
import StorageConformance
import Synchronization
import TestSupport
import Testing

/// Reading contents straight from the regions, without a store.
@Suite struct StoredContentsTests {
    private static func random(_ count: Int, _ seed: UInt64) -> [UInt8] {
        var generator = SeededGenerator(seed: seed)
        return generator.bytes(count)
    }

    private let long = random(60_000, 1)

    private func filled() async throws -> (Workshop, Principal, KeptFile) {
        let shop = try await Workshop(regions: 2)
        let ada = try await shop.account()
        try await shop.put("/long", long, by: ada)
        let file = try #require(try await shop.versions(of: ada).first)
        return (shop, ada, file)
    }

    private func contents(_ shop: Workshop, _ ada: Principal, key: AccountKey? = nil) async throws -> StoredContents {
        let own = try await shop.key(of: ada.account)
        return StoredContents(
            database: shop.database, regions: shop.regions, workers: WorkerPool(workers: 2), account: ada.account,
            key: key ?? own)
    }

    private func failure(_ body: () async throws -> Void) async throws -> FilesError {
        try await #require(throws: FilesError.self) { try await body() }
    }

    @Test("a pack that still grows is read like any other")
    func open() async throws {
        let (shop, ada, file) = try await filled()
        expectSame(try await shop.bytes(of: file, by: ada), long)
        try await shop.store.close()
        expectSame(try await shop.bytes(of: file, by: ada), long)
    }

    @Test("each block is taken from the first region that has it whole")
    func regions() async throws {
        let (shop, ada, file) = try await filled()
        for (index, block) in try await shop.blocks(of: ada).enumerated() {
            shop.disks[index % 2].flipBit(of: block.pack, at: block.offset + UInt64(index % 60))
        }
        let before = shop.disks.map(\.fingerprint)
        expectSame(try await shop.bytes(of: file, by: ada), long)
        #expect(shop.disks.map(\.fingerprint) == before, "it mends nothing")
        shop.regions[0].plan.isDown = true
        #expect(try await shop.bytes(of: file, by: ada) == nil)
    }

    @Test("a block that no region has is named, with why each failed")
    func lost() async throws {
        let (shop, ada, file) = try await filled()
        let victim = try await shop.blocks(of: ada)[7]
        for disk in shop.disks { disk.flipBit(of: victim.pack, at: victim.offset + 1) }
        let reader = try await contents(shop, ada)
        let error = try await failure { try await reader.read(file.content) { _ in } }
        #expect(error.code == .corruptData && error.message.contains("\(victim.id)"))
        #expect(error.cause?.contains("region-0") == true && error.cause?.contains("region-1") == true)
        // What can be said without reading is that everything is there.
        try await reader.look(at: file.content)
    }

    @Test("another account's key opens nothing")
    func otherKey() async throws {
        let (shop, ada, file) = try await filled()
        let reader = try await contents(shop, ada, key: .generate())
        #expect(try await failure { try await reader.read(file.content) { _ in } }.code == .corruptData)
    }

    @Test("a row, a page or a pack that is gone is told by reading and by looking")
    func gone() async throws {
        let (shop, ada, file) = try await filled()
        let reader = try await contents(shop, ada)
        let victim = try await shop.blocks(of: ada)[3]
        for disk in shop.disks { disk.lose(victim.pack) }
        #expect(try await failure { try await reader.look(at: file.content) }.message.contains("\(victim.pack)"))
        #expect(try await failure { try await reader.read(file.content) { _ in } }.code == .corruptData)
        try await shop.spoil("DELETE FROM block WHERE id = $1", [.blob(victim.id.digest.bytes)])
        #expect(try await failure { try await reader.look(at: file.content) }.message.contains("\(victim.id)"))
        try await shop.spoil("DELETE FROM page WHERE id = $1", [.blob(file.content.id.digest.bytes)])
        let page = try await failure { try await reader.look(at: file.content) }
        #expect(page.message.contains("page \(file.content.id.digest)"))
        try await shop.spoil(
            "INSERT INTO page (account, id, bytes) VALUES ($1, $2, $3)",
            [.blob(ada.account.bytes), .blob(file.content.id.digest.bytes), .blob([1])])
        #expect(try await failure { try await reader.look(at: file.content) }.message.contains("damaged"))
    }

    @Test("what takes the bytes may fail, and nothing takes the place of nothing")
    func taker() async throws {
        struct Full: Error {}
        let (shop, ada, file) = try await filled()
        let reader = try await contents(shop, ada)
        await #expect(throws: Full.self) { try await reader.read(file.content) { _ in throw Full() } }
        try await reader.read(.empty) { _ in throw Full() }
        try await reader.look(at: .empty)
    }

    @Test("a file of many windows comes in order, and no piece is large")
    func windows() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let bytes = Self.random(11_000_000, 4)
        try await shop.write("/large", bytes, by: ada)
        let file = try #require(try await shop.versions(of: ada).first)
        var found: [UInt8] = []
        var pieces: [Int] = []
        try await contents(shop, ada).read(file.content) { window in
            pieces.append(window.reduce(0) { $0 + $1.count })
            for piece in window { found += piece }
        }
        expectSame(found, bytes)
        #expect(pieces.count >= 3 && pieces.allSatisfy { $0 <= 5 << 20 })
    }

    private func expectSame(_ left: [UInt8]?, _ right: [UInt8], at location: SourceLocation = #_sourceLocation) {
        let isSame = left == right
        #expect(isSame, "\(left?.count ?? -1) bytes against \(right.count)", sourceLocation: location)
    }
}
