import Blocks
import Metadata
import Model
import Retention
import TestSupport
import Testing
import WireProtocol

@testable import Files

@Suite("What accounts and files cost")
struct UsageTests {
    private func usage(_ shop: Workshop) async throws -> MeasureUsage.Account {
        try await MeasureUsage(database: shop.database)("ada")
    }

    private func cost(_ shop: Workshop, _ path: String) async throws -> MeasureUsage.Path {
        try await MeasureUsage(database: shop.database)("ada", path: RemotePath(path))
    }

    @Test("files, versions and bytes; what equal blocks and compression save")
    func account() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        var random = SeededGenerator(seed: 1)
        let bytes = random.bytes(100_000)
        try await shop.write("/a", bytes, by: ada)
        try await shop.write("/b", bytes, by: ada)
        let text = (10_000..<15_000).flatMap { Array("line \($0)".utf8) }
        try await shop.write("/text", text, by: ada)
        try await shop.write("/text", Array(text.reversed().prefix(10_000)), by: ada)
        try await shop.write("/empty", [], by: ada)
        let found = try await usage(shop)
        #expect(found.files == 4)
        #expect(found.versions == 5)
        #expect(found.headBytes == 210_000)
        #expect(found.keptBytes == 260_000)
        #expect(found.needed.plainBytes == 160_000)
        #expect(found.savedBySharing == 100_000)
        #expect(found.savedByCompression > 30_000)
        #expect(found.needed == found.stored)
        #expect(found.unneededBytes == 0)
        #expect(found.quota == nil)
        #expect(found.regions == 1 && found.takenByCopies == 0)
    }

    @Test("what was thinned is not counted, but is stored until it is collected")
    func thinned() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        try await shop.setPolicy(#"{"ladder":[{"keep":"daily"}],"collapse":null,"min_age":"0s"}"#)
        try await shop.save("/f", times: 5, every: .seconds(1), size: 1000, by: ada)
        #expect(try await usage(shop).versions == 5)
        shop.clock.advance(by: .seconds(3600))
        _ = try await shop.thin()
        let found = try await usage(shop)
        #expect(found.versions == 2)
        #expect(found.keptBytes == 2000)
        #expect(found.needed.plainBytes == 2000)
        #expect(found.stored.plainBytes == 5000)
        #expect(found.unneededBytes > 2900)
    }

    @Test("bytes that came again after others are a version of their own, also when the others were given up")
    func again() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        var random = SeededGenerator(seed: 1)
        let (one, two) = (random.bytes(1000), random.bytes(300))
        for bytes in [one, two, one, two] { try await shop.write("/f", bytes, by: ada) }
        #expect(try await usage(shop).versions == 4)
        try await shop.thin("/f", 2, by: ada)
        let found = try await usage(shop)
        #expect(found.versions == 3 && found.keptBytes == 2300)
        #expect(try await cost(shop, "/f").versions == 3)
        let states = try await shop.database.read { connection in
            let node = try NodeQueries(connection).resolve(RemotePath("/f"), in: ada.home)?.node ?? .root
            return try ThinningQueries(connection).states(of: node, in: ada.home)
        }
        #expect(FileVersion.versions(of: states.map(VersionRow.init)).count == 3)
    }

    @Test("a rename, and a way back from a deletion, make no version")
    func sameBytes() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        try await shop.write("/f", [1, 2, 3], by: ada)
        _ = try await MoveNode(shop.context)(from: RemotePath("/f"), to: RemotePath("/g"), in: ada.home, by: ada)
        _ = try await RemoveNode(shop.context)(RemotePath("/g"), in: ada.home, by: ada)
        _ = try await shop.restore("/g", by: ada)
        let found = try await usage(shop)
        #expect(found.files == 1 && found.versions == 1 && found.keptBytes == 3)
        // Its only version is given up in a state of the past: the present one keeps it.
        try await shop.thin("/f", 1, by: ada)
        #expect(try await usage(shop).versions == 1)
    }

    @Test("a file costs what only it needs; what it shares with others is told apart")
    func path() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let (common, one, two) = (
            SampleFile(random: 20_000, seed: 1), SampleFile(random: 5_000, seed: 2), SampleFile(random: 3_000, seed: 3)
        )
        let joined = SampleFile(common.bytes + one.bytes)
        _ = try await MakeFolder(shop.context)(RemotePath("/d"), in: ada.home, by: ada)
        let folder = try await FindNode(shop.context)(RemotePath("/d"), in: ada.home, by: ada).node
        func commit(_ file: SampleFile, _ name: String, node: UInt64, base: UInt64 = 0, in parent: NodeID, _ id: UInt64)
            async throws -> UInt64
        {
            try #require(
                try await shop.upload(
                    UploadRequest(
                        upload: Ids.upload(id), changes: [file.change(name, node: node, base: base, in: parent)],
                        pages: file.encodedPages, blocks: file.blocks), by: ada
                ).revision)
        }
        let first = try await commit(two, "f", node: 1, in: folder, 1)
        _ = try await commit(joined, "f", node: 1, base: first, in: folder, 2)
        _ = try await commit(common, "c", node: 2, in: .root, 3)
        let blocks = Dictionary(
            (joined.blocks + two.blocks).map { ($0.id, UInt64($0.length)) }, uniquingKeysWith: { first, _ in first })
        let sharedIDs = Set(common.blocks.map(\.id)).intersection(blocks.keys)
        let shared = sharedIDs.reduce(UInt64(0)) { $0 + (blocks[$1] ?? 0) }
        let found = try await cost(shop, "/d/f")
        #expect(found.files == 1 && found.versions == 2)
        #expect(found.headBytes == 25_000 && found.keptBytes == 28_000)
        #expect(found.shared.plainBytes == shared)
        #expect(found.own.plainBytes == blocks.values.reduce(0, +) - shared)
        #expect(shared > 15_000)
        #expect(try await cost(shop, "/d") == found)
        let all = try await cost(shop, "/")
        #expect(all.shared == StoredTotals())
        #expect(all.own == (try await usage(shop)).needed)
        await #expect(throws: FilesError(.notFound, "")) { try await cost(shop, "/none") }
    }

    @Test("a folder's cost includes what was deleted there, and not what was moved away")
    func places() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        _ = try await MakeFolder(shop.context)(RemotePath("/d"), in: ada.home, by: ada)
        for name in ["stays", "goes", "moves"] { try await shop.save("/d/\(name)", times: 1, every: .zero, by: ada) }
        _ = try await RemoveNode(shop.context)(RemotePath("/d/goes"), in: ada.home, by: ada)
        _ = try await MoveNode(shop.context)(
            from: RemotePath("/d/moves"), to: RemotePath("/moves"), in: ada.home, by: ada)
        let found = try await cost(shop, "/d")
        #expect(found.files == 1 && found.versions == 2)
        #expect(found.own.plainBytes == 400)
        #expect(try await cost(shop, "/moves").keptBytes == 200)
    }

    @Test("with room for few blocks it takes turns, and comes to the same", arguments: [3, 7, 100])
    func turns(most: Int) async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        for number in 0..<60 { try await shop.save("/f\(number % 9)", times: 1 + number % 3, every: .zero, by: ada) }
        try await shop.write("/copy", try await shop.read("/f2", by: ada), by: ada)
        func census(_ part: BlockCensus.Part, _ most: Int) async throws -> BlockCensus.Result {
            try await BlockCensus(database: shop.database, account: ada.account, part: part, mostBlocks: most).run()
        }
        let target = try await shop.database.read { try AccountPath($0, account: "ada", path: RemotePath("/f2")) }
        for part in [BlockCensus.Part.everything, .path(target)] {
            let expected = try await census(part, 1_000_000)
            #expect(try await census(part, most) == expected)
            #expect(expected.own.blocks > 1)
        }
        #expect(try await census(.path(target), most).shared.blocks == 1)
    }

    @Test("a recipe whose page is gone is named as damage")
    func damage() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let file = SampleFile(random: 9000, seed: 1)
        _ = try await shop.upload(
            UploadRequest(
                upload: Ids.upload(1), changes: [file.change("f", node: 1)], pages: file.encodedPages,
                blocks: file.blocks), by: ada)
        try await shop.database.write { _ = try $0.execute("DELETE FROM page", []) }
        await #expect(throws: FilesError(.corruptData, "")) { try await usage(shop) }
    }
}
