import Blocks
import Files
import Metadata
import Model
import Storage
import StorageConformance
import Testing
import WireProtocol

@Suite("When the storage fails")
struct StorageFailureTests {
    /// Turns one byte of a block over, where it lies on a disk.
    private func damage(_ block: BlockID, of principal: Principal, on disk: Int, in shop: Workshop) async throws {
        let place = try #require(
            try await shop.database.read { try BlockQueries($0).locations([block], account: principal.account)[block] })
        shop.disks[disk].flipBit(of: place.pack, at: place.offset + 20)
    }

    private func commit(_ file: SampleFile, _ name: String, _ number: UInt64, _ shop: Workshop, _ who: Principal)
        async throws
    {
        let outcome = try await shop.upload(
            UploadRequest(
                upload: Ids.upload(number), changes: [file.change(name, node: number)], pages: file.encodedPages,
                blocks: file.blocks), by: who)
        #expect(outcome.revision != nil)
    }

    @Test("a full disk is told as such, and the same upload succeeds when there is room")
    func fullDisk() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let file = SampleFile(random: 5000, seed: 1)
        let request = UploadRequest(
            upload: Ids.upload(1), changes: [file.change("f", node: 1)], pages: file.encodedPages)
        _ = try await shop.upload(request, by: ada)
        shop.regions[0].plan.isFull = true
        await #expect(throws: StorageError(.full, "")) { try await shop.send(file.blocks, for: Ids.upload(1), by: ada) }
        await #expect(throws: StorageError(.full, "")) { try await shop.write("/g", file.bytes, by: ada) }
        #expect(try await shop.upload(request, by: ada).missingBlocks?.count == file.blocks.count)
        shop.regions[0].plan.isFull = false
        #expect(try await shop.send(file.blocks, for: Ids.upload(1), by: ada).outcome?.revision == 1)
    }

    @Test("a damaged block is named with its file; other files and other parts of the file are unaffected")
    func damagedBlock() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let (bad, good) = (SampleFile(random: 20_000, seed: 2), SampleFile(random: 20_000, seed: 3))
        try await commit(bad, "bad", 1, shop, ada)
        try await commit(good, "good", 2, shop, ada)
        let victim = bad.blocks[bad.blocks.count / 2].id
        try await damage(victim, of: ada, on: 0, in: shop)
        let error = try await #require(throws: FilesError(.corruptData, "")) { try await shop.read("/bad", by: ada) }
        #expect(error.message.contains("/bad"))
        #expect(error.message.contains("\(victim)"))
        #expect(error.message.contains("pack"))
        #expect(try await shop.read("/bad", 0..<100, by: ada) == Array(bad.bytes[..<100]))
        #expect(try await shop.read("/good", by: ada) == good.bytes)
        let fetch = try await #require(throws: FilesError(.corruptData, "")) {
            try await FetchBlocks(shop.context)(bad.blocks.map(\.id), by: ada).all()
        }
        #expect(fetch.message.contains("\(victim)"))
        let others = bad.blocks.map(\.id).filter { $0 != victim }
        #expect(try await FetchBlocks(shop.context)(others, by: ada).all().map(\.id) == others)
    }

    @Test("a second region answers for the damage of the first, and repairs it")
    func repair() async throws {
        let shop = try await Workshop(regions: 2)
        let ada = try await shop.account()
        let file = SampleFile(random: 20_000, seed: 4)
        try await commit(file, "f", 1, shop, ada)
        let victim = file.blocks[3].id
        try await damage(victim, of: ada, on: 0, in: shop)
        #expect(try await shop.read("/f", by: ada) == file.bytes)
        #expect(shop.store.statistics.repairedRecords >= 1)
        // The first region is sound again: without the second the file can still be read.
        shop.regions[1].plan.isDown = true
        #expect(try await shop.read("/f", by: ada) == file.bytes)
    }

    @Test("a store that can't be reached is a matter of trying again")
    func unreachable() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        shop.regions[0].plan.isDown = true
        let error = try await #require(throws: StorageError.self) {
            try await shop.write("/f", Array("hello".utf8), by: ada)
        }
        #expect(error.isRetryable)
        shop.regions[0].plan.isDown = false
        _ = try await shop.store.repairMissing()
        try await shop.write("/f", Array("hello".utf8), by: ada)
        #expect(try await shop.read("/f", by: ada) == Array("hello".utf8))
    }

    @Test("blocks are encrypted on disk, by a key of the account")
    func sealed() async throws {
        let shop = try await Workshop()
        let (ada, eve) = (try await shop.account(), try await shop.account("eve"))
        let text = Array("a sentence that nobody but ada may read".utf8)
        try await shop.write("/f", text, by: ada)
        try await shop.write("/f", text, by: eve)
        for pack in try await shop.store.packs() {
            try await shop.store.scan(pack.pack) { record in
                guard case .intact(let bytes) = record.state else { return }
                #expect(!String(decoding: bytes, as: UTF8.self).contains("sentence"))
            }
        }
        let block = SampleFile(text).blocks[0].id
        let places = try await shop.database.read { connection in
            try [ada, eve].compactMap { try BlockQueries(connection).locations([block], account: $0.account)[block] }
        }
        #expect(Set(places.map(\.offset)).count == 2, "each account has a copy of its own")
    }
}
