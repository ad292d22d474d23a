import Blocks
import Model
import TestSupport
import Testing

/// All parts after each other, as an upload and a download use them.
@Suite("From bytes to sealed records and back")
struct PipelineTests {
    private struct Stored {
        var records: [BlockID: [UInt8]] = [:]
        var pages: [PageID: [UInt8]] = [:]
        var content = Content.empty
    }

    private let account = AccountID(high: 5, low: 6)
    private let key = AccountKey.generate()
    private let chunker = Chunker(ChunkerTests.small)

    /// Splits, encodes, seals and lists a content; what `stored` has already is not stored again.
    private func store(_ bytes: [UInt8], in stored: inout Stored) throws {
        let (encoder, policy) = (BlockEncoder(), CompressionPolicy())
        let sealer = try BlockSealer(key: key, account: account)
        var builder = RecipeBuilder()
        var (position, records, pages) = (0, stored.records, stored.pages)
        let size = try ContentSplitter(chunker: chunker, bufferSize: 8192).split { room in
            let count = min(room.count, bytes.count - position)
            room.copyBytes(from: bytes[position..<(position + count)])
            position += count
            return count
        } block: { id, plain in
            if records[id] == nil {
                let block = encoder.encode(plain, id: id, as: policy.choose(name: nil, sample: plain))
                records[id] = try sealer.seal(block)
            }
            builder.append(RecipeEntry(block: id, length: UInt32(plain.count))) { pages[$0.id] = $0.encoded }
        }
        stored.content = builder.finish { pages[$0.id] = $0.encoded }
        (stored.records, stored.pages) = (records, pages)
        #expect(stored.content.size == size)
    }

    private func load(_ stored: Stored, from offset: UInt64 = 0) throws -> [UInt8] {
        let sealer = try BlockSealer(key: key, account: account)
        let decoder = BlockDecoder()
        var bytes: [UInt8] = []
        try RecipeWalker().entries(of: stored.content, from: offset) {
            try #require(stored.pages[$0])
        } body: {
            entry, start in
            let record = try #require(stored.records[entry.block])
            let block = try record.withUnsafeBytes { try sealer.open($0, expecting: entry.block) }
            #expect(block.length == Int(entry.length))
            bytes += try decoder.decode(block).dropFirst(start < offset ? Int(offset - start) : 0)
            return true
        }
        return bytes
    }

    @Test("a content comes back, whole and from any offset", arguments: [0, 1, 64, 5000, 250_000])
    func roundTrip(count: Int) throws {
        var generator = SeededGenerator(seed: UInt64(count))
        for bytes in [generator.bytes(count), Golden.lineBytes(count)] {
            var stored = Stored()
            try store(bytes, in: &stored)
            #expect(try load(stored) == bytes)
            let offset = Int.random(in: 0...count, using: &generator)
            #expect(try load(stored, from: UInt64(offset)) == Array(bytes[offset...]))
        }
    }

    @Test("a byte inserted at the front stores a few blocks and pages, not the content again")
    func insertion() throws {
        var generator = SeededGenerator(seed: 12)
        let bytes = generator.bytes(250_000)
        var stored = Stored()
        try store(bytes, in: &stored)
        let (records, pages) = (stored.records.count, stored.pages.count)
        try store([42] + bytes, in: &stored)
        #expect((1...4).contains(stored.records.count - records))
        #expect((1...6).contains(stored.pages.count - pages))
        #expect(try load(stored) == [42] + bytes)
    }

    @Test("the same bytes have the same name, however they were written")
    func sameName() throws {
        var generator = SeededGenerator(seed: 13)
        let bytes = generator.bytes(100_000)
        var (whole, grown) = (Stored(), Stored())
        try store(bytes, in: &whole)
        try store(Array(bytes[..<60_000]), in: &grown)
        try store(bytes, in: &grown)
        #expect(whole.content == grown.content)
    }
}
