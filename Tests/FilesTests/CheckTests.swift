import Blocks
import Files
import Metadata
import Model
import Storage
import StorageConformance
import TestSupport
import Testing

/// What a check finds in the packs and the contents, and what it mends.
@Suite struct CheckTests {
    private static func random(_ count: Int, _ seed: UInt64) -> [UInt8] {
        var generator = SeededGenerator(seed: seed)
        return generator.bytes(count)
    }

    private let long = random(60_000, 1)
    private let short = random(60, 2)

    /// Two files, one of them in two versions, in closed packs.
    private func filled(regions: Int = 2) async throws -> (Workshop, Principal) {
        let shop = try await Workshop(regions: regions)
        let ada = try await shop.account()
        try await shop.put("/long", long, by: ada)
        try await shop.put("/short", short, by: ada)
        try await shop.put("/long", long + short, by: ada)
        try await shop.store.close()
        return (shop, ada)
    }

    @Test("what is whole is clean, and every record is read once in each region")
    func clean() async throws {
        let (shop, ada) = try await filled()
        let checked = try await shop.check()
        #expect(checked.damage.isEmpty && checked.repaired.isEmpty)
        #expect(checked.summary.files == 3)
        #expect(checked.summary.pages > 6)
        let blocks = try await shop.blocks(of: ada)
        #expect(checked.summary.blocks == UInt64(blocks.count))
        let bytes = blocks.reduce(0) { $0 + UInt64($1.length) + 24 }
        #expect(checked.summary.verifiedBytes == 2 * bytes, "a block that two versions need is read once")
        #expect(try await shop.check(full: false).summary.verifiedBytes == 0)
    }

    @Test("a flipped bit in one region is found there, and mended from the other", arguments: [0, 1])
    func oneRegion(region: Int) async throws {
        let (shop, ada) = try await filled()
        let whole = shop.disks[region].fingerprint
        let victims = try await shop.blocks(of: ada).prefix(3)
        for (index, victim) in victims.enumerated() {
            // In the payload, in the header, in the checksum of the header.
            let place = [victim.offset + 3, victim.offset - 20, victim.offset - 11][index]
            shop.disks[region].flipBit(of: victim.pack, at: place, bit: 5)
        }
        let found = try await shop.check()
        #expect(Set(found.damage.compactMap(\.block)) == Set(victims.map(\.id)))
        #expect(found.damage.allSatisfy { $0.kind == .record && $0.region == "region-\(region)" })
        #expect(found.versions.isEmpty)
        #expect(try await shop.check(full: false).damage.isEmpty, "only reading finds it")
        #expect(shop.disks[region].fingerprint != whole, "a check alone mends nothing")
        let mended = try await shop.check(repairs: true)
        #expect(mended.damage.isEmpty && mended.repaired.count == 3)
        #expect(shop.disks[region].fingerprint == whole)
        #expect(try await shop.check().findings == shop.check(repairs: true).findings)
    }

    @Test(
        "a pack that one region has lost, or the end of, is copied from the other", arguments: [0, 1], [true, false])
    func lostInOne(region: Int, isLost: Bool) async throws {
        let (shop, _) = try await filled()
        let whole = shop.disks[region].fingerprint
        let pack = try #require(shop.disks[region].packs.keys.first)
        if isLost { shop.disks[region].lose(pack) } else { shop.disks[region].cut(pack, to: 900) }
        for full in [true, false] {
            let found = try await shop.check(full: full)
            #expect(found.of(.pack).map(\.region) == ["region-\(region)"])
            #expect(found.of(.pack).map(\.pack) == [pack])
            #expect(found.versions.isEmpty)
        }
        let mended = try await shop.check(repairs: true)
        #expect(mended.damage.isEmpty && mended.repaired.map(\.kind) == [.pack])
        #expect(shop.disks[region].fingerprint == whole)
        #expect(try await shop.check().damage.isEmpty)
    }

    @Test("a region that has lost everything is filled from the other")
    func lostRegion() async throws {
        let (shop, ada) = try await filled()
        let whole = shop.disks[1].fingerprint
        for pack in shop.disks[1].packs.keys { shop.disks[1].lose(pack) }
        #expect(try await shop.check(full: false, repairs: true).damage.isEmpty)
        #expect(shop.disks[1].fingerprint == whole)
        for pack in shop.disks[0].packs.keys { shop.disks[0].lose(pack) }
        let again = try await Workshop(after: shop)
        #expect(try await again.read("/long", by: ada) == long + short)
    }

    @Test("a region that can't be reached is told, and its copy is not judged")
    func away() async throws {
        let (shop, _) = try await filled()
        shop.regions[0].plan.isDown = true
        let found = try await shop.check()
        #expect(found.findings.filter { $0.weight == .unchecked }.map(\.region) == ["region-0"])
        #expect(found.damage.isEmpty)
    }

    @Test("damage in both regions names the versions that need the block, and no other")
    func bothRegions() async throws {
        let (shop, ada) = try await filled()
        let versions = try await shop.versions(of: ada)
        let single = try #require(versions.first { $0.content.size == 60 })
        let victim = try #require(try await shop.blocks(of: ada).first { $0.id.digest == single.content.id.digest })
        for disk in shop.disks { disk.flipBit(of: victim.pack, at: victim.offset + 1) }
        let found = try await shop.check(repairs: true)
        #expect(found.versions == [Version(node: single.node, from: single.from)])
        let file = try #require(found.of(.file).first)
        #expect(file.path == "/short" && file.account == ada.account && file.namespace == ada.home)
        #expect(file.revision == single.from && file.end == nil)
        #expect(file.message.contains("\(victim.id)"))
        #expect(found.of(.block).map(\.block) == [victim.id])
        #expect(found.damage.count == 2)
    }

    @Test("different records that are damaged in either region cost nothing: each is mended from the other")
    func crossed() async throws {
        let (shop, ada) = try await filled()
        let blocks = try await shop.blocks(of: ada)
        let whole = shop.disks.map(\.fingerprint)
        shop.disks[0].flipBit(of: blocks[0].pack, at: blocks[0].offset)
        shop.disks[1].flipBit(of: blocks[1].pack, at: blocks[1].offset)
        let mended = try await shop.check(repairs: true)
        #expect(mended.damage.isEmpty)
        #expect(Set(mended.repaired.compactMap(\.block)) == [blocks[0].id, blocks[1].id])
        #expect(shop.disks.map(\.fingerprint) == whole)
    }

    @Test("a pack that is in no region damages what lies in it, in every version")
    func lostPack() async throws {
        let (shop, ada) = try await filled()
        let pack = try #require(shop.disks[0].packs.keys.first)
        for disk in shop.disks { disk.lose(pack) }
        for full in [true, false] {
            let found = try await shop.check(full: full)
            #expect(found.of(.lostPack).map(\.pack) == [pack])
            #expect(found.versions.count == 3)
            #expect(try await shop.versions(of: ada).count == 3)
        }
    }

    @Test("records that lie beyond the end in every region are found without reading them")
    func cutEverywhere() async throws {
        let (shop, ada) = try await filled()
        let last = try #require(try await shop.blocks(of: ada).max { $0.offset < $1.offset })
        for disk in shop.disks { disk.cut(last.pack, to: Int(last.offset)) }
        let found = try await shop.check(full: false)
        #expect(found.of(.block).map(\.block) == [last.id])
        #expect(!found.versions.isEmpty)
    }

    @Test("a page that is gone or altered damages the versions above it")
    func pages() async throws {
        let (shop, ada) = try await filled(regions: 1)
        let file = try #require(try await shop.versions(of: ada).first { $0.content.size == 60_000 })
        let root = SQLValue.blob(file.content.id.digest.bytes)
        try await shop.spoil("UPDATE page SET bytes = $1 WHERE id = $2", [.blob([1, 2, 3]), root])
        let altered = try await shop.check()
        #expect(altered.versions == [Version(node: file.node, from: file.from)])
        #expect(altered.of(.file)[0].end != nil, "it is a past version")
        #expect(altered.of(.unchecked).count == 1, "nobody knows what the page named")
        #expect(altered.of(.orphanBlock).isEmpty)
        try await shop.spoil("DELETE FROM page WHERE id = $1", [root])
        #expect(try await shop.check(full: false).versions == altered.versions)
    }

    @Test("a version whose bytes were given up needs nothing")
    func thinned() async throws {
        let (shop, ada) = try await filled(regions: 1)
        try await shop.spoil("UPDATE node SET thinned = 1 WHERE valid_to IS NOT NULL")
        let before = try await shop.check()
        #expect(before.summary.files == 2)
        #expect(!before.of(.orphanPage).isEmpty, "pages that only the past version had")
        #expect(before.versions.isEmpty)
        #expect(try await shop.versions(of: ada).count == 2)
    }

    @Test("what nothing names is told, and is no damage")
    func orphans() async throws {
        let (shop, ada) = try await filled(regions: 1)
        let versions = try await shop.versions(of: ada)
        let single = try #require(versions.first { $0.content.size == 60 })
        try await shop.spoil("DELETE FROM block WHERE id = $1", [.blob(single.content.id.digest.bytes)])
        try await shop.spoil(
            "UPDATE node SET thinned = 5 WHERE node = $1", [.blob(single.node.bytes)])
        let orphan = SampleFile(Array("nobody's".utf8))
        let again = try await Workshop(after: shop)
        _ = try await again.send(orphan.blocks, by: ada)
        try await again.store.close()
        let found = try await again.check()
        #expect(found.of(.orphanBlock).map(\.block) == [orphan.blocks[0].id])
        #expect(found.of(.unnamedBytes).count == 1)
        #expect(found.of(.unnamedBytes)[0].bytes == 60 + 66 + 24)
        #expect(found.damage.isEmpty)
        try await again.spoil("DELETE FROM block WHERE id = $1", [.blob(orphan.blocks[0].id.digest.bytes)])
        #expect(try await again.check().of(.unnamedPack).count == 1)
    }

    @Test("a row that says another length, place or pack than the record has is found", arguments: 0..<4)
    func rows(kind: Int) async throws {
        let (shop, ada) = try await filled(regions: 1)
        let single = try #require(try await shop.versions(of: ada).first { $0.content.size == 60 })
        let set = ["plain_length = 59", "place = place + 1", "length = length - 1", "pack = zeroblob(16)"][kind]
        try await shop.spoil("UPDATE block SET \(set) WHERE id = $1", [.blob(single.content.id.digest.bytes)])
        let found = try await shop.check()
        #expect(found.versions == [Version(node: single.node, from: single.from)])
        #expect(try await shop.bytes(of: single, by: ada) == nil)
    }

    @Test("without the keys the checksums are compared")
    func withoutKeys() async throws {
        let (shop, ada) = try await filled(regions: 1)
        let victim = try await shop.blocks(of: ada)[4]
        shop.disks[0].flipBit(of: victim.pack, at: victim.offset + 9)
        let setting = CheckSetting(
            database: shop.database, regions: shop.regions, keys: [:], workers: WorkerPool(workers: 1), isFull: true,
            repairs: false
        ) { _ in }
        #expect(try await CheckData(setting)().count(.block) == 1)
    }

    @Test("a pack that was not sealed is told as such, and is no damage")
    func unsealed() async throws {
        let shop = try await Workshop(regions: 2)
        let ada = try await shop.account()
        try await shop.put("/long", long, by: ada)
        let found = try await shop.check(repairs: true)
        #expect(found.findings.map(\.kind) == [.unsealedPack])
        #expect(found.damage.isEmpty)
    }
}
