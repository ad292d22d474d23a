import Model
import TestSupport
import Testing

@testable import Blocks

@Suite("RecipePage")
struct RecipePageTests {
    /// A digest whose last six bits say whether it ends a page.
    private static func digest(_ index: Int, ends: Bool) -> Digest {
        Digest(words: (UInt64(index), 2, 3, ends ? 64 : 65))
    }

    private func page(_ count: Int, endingAt ends: Set<Int> = []) -> RecipePage {
        RecipePage(
            blocks: (0..<count).map {
                RecipeEntry(block: BlockID(Self.digest($0, ends: ends.contains($0))), length: UInt32($0 + 1))
            })
    }

    /// Encodes by hand: what is not among the arguments is as it should be.
    private func encode(
        magic: String = "CRP1", level: UInt8 = 1, count: UInt16? = nil, entries: [[UInt8]], rest: [UInt8] = []
    ) -> [UInt8] {
        let count = count ?? UInt16(entries.count)
        return Array(magic.utf8) + [level] + [UInt8](bigEndian: count) + entries.flatMap { $0 } + rest
    }

    private func entry(_ length: UInt32, ends: Bool = false) -> [UInt8] {
        Self.digest(1, ends: ends).bytes + [UInt8](bigEndian: length)
    }

    private func entry(child size: UInt64) -> [UInt8] {
        Self.digest(1, ends: false).bytes + [UInt8](bigEndian: size)
    }

    private func expectCorrupt(
        _ bytes: [UInt8], _ code: BlocksError.Code = .corruptPage, at location: SourceLocation = #_sourceLocation
    ) {
        #expect(throws: BlocksError(code, ""), sourceLocation: location) { try RecipePage(decoding: bytes) }
    }

    @Test("a page of blocks has the bytes of the reference")
    func goldenBlocks() throws {
        let page = RecipePage(blocks: (0..<5).map(Recipe.entry))
        #expect(page.encoded == Golden.bytes("page1.hex"))
        let read = try RecipePage(decoding: Golden.bytes("page1.hex"))
        #expect(read.level == 1)
        #expect(read.blocks == (0..<5).map(Recipe.entry))
        #expect(read.children.isEmpty)
        #expect(read.size == 5010)
    }

    @Test("a page of pages has the bytes of the reference")
    func goldenPages() throws {
        let children = (0..<3).map {
            PageEntry(child: PageID(SHA256Hasher.digest(of: Array("page\($0)".utf8))), size: 1 << 40 + UInt64($0))
        }
        #expect(RecipePage(level: 2, pages: children).encoded == Golden.bytes("page2.hex"))
        let read = try RecipePage(decoding: Golden.bytes("page2.hex"))
        #expect(read.level == 2)
        #expect(read.children == children)
        #expect(read.blocks.isEmpty)
        #expect(read.size == 3 << 40 + 3)
    }

    @Test("a page is named by its bytes, and equal when they are")
    func identity() throws {
        let page = page(3)
        #expect(page.id == PageID(SHA256Hasher.digest(of: page.encoded)))
        #expect(try RecipePage(decoding: page.encoded) == page)
        #expect(try RecipePage(decoding: page.encoded).hashValue == page.hashValue)
        #expect(self.page(4) != page)
    }

    @Test("a page of any size comes back", arguments: [1, 2, 4, 64, 255, 256])
    func roundTrip(count: Int) throws {
        let page = page(count)
        let read = try RecipePage(decoding: page.encoded, expecting: page.id)
        #expect(read.entries == page.entries)
        #expect(read.size == UInt64(count * (count + 1) / 2))
        #expect(page.encoded.count <= BlockLimits.maximumPageLength)
    }

    @Test("another page than the expected one is refused")
    func unexpected() {
        let (page, other) = (page(3), page(4))
        #expect(throws: BlocksError(.hashMismatch, "")) { try RecipePage(decoding: page.encoded, expecting: other.id) }
    }

    @Test("what is cut or goes on is no page")
    func cut() {
        let bytes = page(3).encoded
        for count in bytes.indices { expectCorrupt(Array(bytes[..<count])) }
        expectCorrupt(bytes + [0])
        expectCorrupt(bytes + entry(1))
    }

    @Test("another magic, level or count is refused")
    func head() {
        expectCorrupt(encode(magic: "CRP2", entries: [entry(1)]))
        expectCorrupt(encode(level: 0, entries: [entry(1)]))
        expectCorrupt(encode(level: 2, entries: [entry(1)]))
        expectCorrupt(encode(level: 33, entries: [entry(child: 1)]))
        expectCorrupt(encode(count: 0, entries: []))
        expectCorrupt(encode(count: 0, entries: [entry(1)]))
        expectCorrupt(encode(count: 2, entries: [entry(1)]))
        expectCorrupt(encode(entries: (0..<257).map { _ in entry(1) }))
    }

    @Test("blocks have from 1 byte to 1 MiB")
    func blockLengths() throws {
        expectCorrupt(encode(entries: [entry(0)]))
        expectCorrupt(encode(entries: [entry(5), entry((1 << 20) + 1)]))
        #expect(try RecipePage(decoding: encode(entries: [entry(1), entry(1 << 20)])).size == (1 << 20) + 1)
    }

    @Test("sizes of pages are at least 1 and have a sum")
    func pageSizes() throws {
        expectCorrupt(encode(level: 2, entries: [entry(child: 0)]))
        expectCorrupt(encode(level: 3, entries: [entry(child: .max), entry(child: 1)]))
        #expect(try RecipePage(decoding: encode(level: 32, entries: [entry(child: .max)])).size == .max)
    }

    @Test("more than 64 KiB are refused unread")
    func tooLong() {
        expectCorrupt([UInt8](repeating: 0, count: (64 << 10) + 1), .tooLarge)
    }

    @Test("a page that goes on after an entry that ends it is refused", arguments: [3, 4, 100])
    func goesOn(index: Int) throws {
        expectCorrupt(page(index + 2, endingAt: [index]).encoded)
        #expect(try RecipePage(decoding: page(index + 1, endingAt: [index]).encoded).blocks.count == index + 1)
    }

    @Test("the first three entries never end a page")
    func tooSoon() throws {
        let page = page(5, endingAt: [0, 1, 2])
        #expect(try RecipePage(decoding: page.encoded) == page)
    }

    @Test("random bytes behind a page's head never crash the reader", arguments: 0..<200 as Range<UInt64>)
    func fuzz(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var bytes = page(6).encoded
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
        }
        guard let read = try? RecipePage(decoding: bytes) else { return }
        #expect(read.encoded == bytes)
        #expect(read.level > 1 || RecipePage.encode(read.blocks) == bytes)
    }
}
