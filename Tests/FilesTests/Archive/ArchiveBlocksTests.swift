import Blocks
import Metadata
import Model
import Storage
import StorageConformance
import TestSupport
import Testing
import WireProtocol

@testable import Files

@Suite("Moving to the archive")
struct ArchiveBlocksTests {
    @Test("what only old versions need goes, densely; what a current file or a young version needs stays")
    func moves() async throws {
        let shop = try await ArchiveShop()
        let old = text("an old line", 4000)
        try await shop.supersede("/f", old, by: text("a new line", 3000))
        let gone = try await shop.blocks(SampleWhole(old).content)
        #expect(try await shop.archive().blocks == 0, "it has only just ended")
        shop.pass(days: 91)
        try await shop.shop.write("/f", text("the newest line", 3000), by: shop.ada)
        let report = try await shop.archive()
        #expect(report.blocks == gone.count)
        #expect(report.archivedBytes < report.bytes, "it was compressed more densely")
        #expect(try await shop.tiers(gone).values.allSatisfy { $0 == .archive })
        #expect(try await shop.coldNeeded().isEmpty)
        #expect(try await shop.shop.read("/f", by: shop.ada) == text("the newest line", 3000))
        #expect(try await shop.archive().blocks == 0, "there is nothing left to do")
        #expect(shop.tier.counts.current.moved == gone.count)
    }

    @Test("a block that a current file shares stays hot")
    func shared() async throws {
        let shop = try await ArchiveShop()
        let bytes = text("shared", 5000)
        try await shop.supersede("/f", bytes, by: [1])
        try await shop.shop.write("/g", bytes, by: shop.ada)
        shop.pass(days: 200)
        #expect(try await shop.archive().blocks == 0)
        _ = try await RemoveNode(shop.context)(RemotePath("/g"), if: Preconditions(), in: shop.ada.home, by: shop.ada)
        shop.pass(days: 91)
        #expect(try await shop.archive().blocks > 0, "now nobody needs it any more")
    }

    @Test("a version that was thinned needs nothing, and gives nothing to the archive")
    func thinned() async throws {
        let shop = try await ArchiveShop()
        try await shop.supersede("/f", text("one", 3000), by: [1])
        try await shop.shop.database.write {
            try $0.execute("UPDATE node SET thinned = 1 WHERE valid_to IS NOT NULL", [])
        }
        shop.pass(days: 200)
        #expect(try await shop.archive().blocks == 0)
    }

    @Test("current files go only when the policy says so, and neither written nor read for long")
    func currentFiles() async throws {
        let policy = ArchivePolicy(currentAfter: .seconds(365 * 86_400))
        let shop = try await ArchiveShop(policy: policy)
        let (still, read) = (text("left alone", 3000), text("read", 3000))
        try await shop.shop.write("/still", still, by: shop.ada)
        try await shop.shop.write("/read", read, by: shop.ada)
        shop.pass(days: 200)
        try await shop.shop.write("/young", text("young", 3000), by: shop.ada)
        #expect(try await shop.shop.read("/read", by: shop.ada) == read)
        try await NoteReads(shop.context)()
        shop.pass(days: 170)
        #expect(try await shop.archive().blocks > 0)
        let tiers = try await shop.tiers(try await shop.blocks(SampleWhole(still).content)).values
        #expect(tiers.allSatisfy { $0 == .archive })
        #expect(try await shop.shop.read("/read", by: shop.ada) == read)
        #expect(try await shop.shop.read("/young", by: shop.ada) == text("young", 3000))
        await #expect(throws: FilesError(.thawing, "")) { try await shop.shop.read("/still", by: shop.ada) }
    }

    @Test("what was read lately stays, though only a past version needs it")
    func readLately() async throws {
        let shop = try await ArchiveShop()
        let old = text("old", 3000)
        try await shop.supersede("/f", old, by: [1])
        shop.pass(days: 80)
        #expect(try await shop.fetch(SampleWhole(old).content) == old)
        try await NoteReads(shop.context)()
        shop.pass(days: 20)
        #expect(try await shop.archive().blocks == 0)
        shop.pass(days: 71)
        #expect(try await shop.archive().blocks > 0)
    }

    @Test("every record in the archive is sealed with a nonce of its own")
    func nonces() async throws {
        let shop = try await ArchiveShop()
        try await shop.supersede("/f", SeededBytes.of(300_000, seed: 3), by: [1])
        shop.pass(days: 91)
        _ = try await shop.archive()
        var nonces: Set<[UInt8]> = []
        var records = 0
        for (disk, name) in [(shop.disk, "archive"), (shop.shop.disks[0], "hot")] {
            let store = try await PackedBlockStore.open(regions: [MemoryPackRegion(name: name, disk: disk)])
            for pack in try await store.packs() {
                let found = CollectedNonces()
                try await store.scan(pack.pack) { record in
                    if case .intact(let bytes) = record.state { found.add(Array(bytes[1..<13])) }
                }
                records += found.all.count
                nonces.formUnion(found.all)
            }
        }
        #expect(records > 4)
        #expect(nonces.count == records)
    }

    @Test("those of the oldest version lie first")
    func order() async throws {
        let shop = try await ArchiveShop()
        var contents: [Content] = []
        for round in 0..<5 {
            let bytes = SeededBytes.of(2000, seed: UInt64(round))
            contents.append(SampleWhole(bytes).content)
            try await shop.shop.write("/f", bytes, by: shop.ada)
            shop.pass(days: 1)
        }
        try await shop.shop.write("/f", [1], by: shop.ada)
        shop.pass(days: 91)
        #expect(try await shop.archive().blocks == 5)
        let (account, ids) = (shop.ada.account, contents.compactMap(\.id.block))
        let rows = try await shop.shop.database.read { try BlockQueries($0).locations(ids, account: account) }
        let places = ids.compactMap { rows[$0]?.offset }
        #expect(places.count == 5 && places == places.sorted())
    }

    @Test("however few blocks are looked for at once, all that are cold are found")
    func smallSelections() async throws {
        var limits = ArchiveLimits()
        limits.selection = 2
        limits.portion = 1000
        let shop = try await ArchiveShop(limits: limits)
        for round in 0..<6 {
            try await shop.supersede("/f\(round)", SeededBytes.of(40_000, seed: UInt64(round)), by: [UInt8(round)])
        }
        shop.pass(days: 91)
        let report = try await shop.archive()
        for round in 0..<6 {
            let content = SampleWhole(SeededBytes.of(40_000, seed: UInt64(round))).content
            #expect(try await shop.tiers(try await shop.blocks(content)).values.allSatisfy { $0 == .archive })
        }
        #expect(report.blocks >= 6)
    }

    @Test("a damaged block stays where it is, and the others go")
    func damaged() async throws {
        let shop = try await ArchiveShop()
        let bad = SeededBytes.of(3000, seed: 1)
        try await shop.supersede("/bad", bad, by: [1])
        try await shop.supersede("/good", SeededBytes.of(3000, seed: 2), by: [2])
        let account = shop.ada.account
        let id = try #require(SampleWhole(bad).content.id.block)
        let row = try #require(
            try await shop.shop.database.read { try BlockQueries($0).locations([id], account: account)[id] })
        shop.shop.disks[0].flipBit(of: row.pack, at: row.offset + 20)
        shop.pass(days: 91)
        let report = try await shop.archive()
        #expect(report.damaged == 1)
        #expect(report.blocks == 1)
        #expect(try await shop.tiers([id]) == [id: .hot])
    }

    @Test("a pack of the archive goes when nothing in it is named any more, and not before")
    func packs() async throws {
        let first = try await ArchiveShop()
        let old = text("old", 3000)
        try await first.supersede("/f", old, by: [1])
        first.pass(days: 91)
        _ = try await first.archive()
        try await first.tier.store.close()
        let shop = try await ArchiveShop(after: first, seed: 2)
        #expect(try await shop.archive().removedPacks == 0)
        #expect(try await shop.tier.store.packs().count == 1)
        // The same bytes are sent again: the archived copy is worth nothing from then on.
        try await shop.shop.write("/again", old, by: shop.ada)
        #expect(try await shop.archive().removedPacks == 0, "somebody else may be about to name it")
        shop.shop.clock.advance(by: .seconds(3599))
        #expect(try await shop.archive().removedPacks == 0)
        shop.shop.clock.advance(by: .seconds(1))
        #expect(try await shop.archive().removedPacks == 1)
        #expect(try await shop.tier.store.packs().isEmpty)
        #expect(try await shop.archive().removedPacks == 0)
        #expect(try await shop.shop.read("/again", by: shop.ada) == old)
    }

    @Test("without an archive nothing moves and nothing is asked")
    func without() async throws {
        let shop = try await Workshop()
        await #expect(throws: FilesError(.unavailable, "")) { try await ArchiveBlocks(shop.context)() }
        #expect(try await ThawBlocks(shop.context)() == ThawBlocks.Report())
        #expect(try await WarmFiles(shop.context)() == 0)
        #expect(try await NoteReads(shop.context)() == 0)
    }
}

/// A file cut as the server cuts it.
struct SampleWhole {
    let content: Content

    init(_ bytes: [UInt8]) {
        var builder = RecipeBuilder()
        let chunker = Chunker()
        bytes.withUnsafeBytes { bytes in
            var position = 0
            while position < bytes.count {
                let rest = UnsafeRawBufferPointer(rebasing: bytes[position...])
                let length = chunker.boundary(in: rest, atEnd: true) ?? rest.count
                let id = BlockID(SHA256Hasher.digest(of: UnsafeRawBufferPointer(rebasing: rest[..<length])))
                builder.append(RecipeEntry(block: id, length: UInt32(length))) { _ in }
                position += length
            }
        }
        content = builder.finish { _ in }
    }
}
