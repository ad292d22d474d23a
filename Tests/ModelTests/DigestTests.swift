import Model
import TestSupport
import Testing

@Suite struct DigestTests {
    @Test("a digest reads back from its bytes, its digits and from memory")
    func roundTrip() throws {
        var generator = SeededGenerator(seed: 2)
        for _ in 0..<500 {
            let bytes = generator.bytes(32)
            let digest = try #require(Digest(bytes: bytes))
            #expect(digest.bytes == bytes)
            #expect(Digest(hex: digest.hex) == digest)
            #expect(bytes.withUnsafeBytes { Digest(loading: $0.baseAddress!) } == digest)
        }
    }

    @Test("digests that differ in one byte differ", arguments: 0..<32)
    func oneByte(_ index: Int) throws {
        var bytes = [UInt8](0..<32)
        let first = try #require(Digest(bytes: bytes))
        bytes[index] ^= 0x80
        let second = try #require(Digest(bytes: bytes))
        #expect(first != second)
        #expect(Set([first, second]).count == 2)
        #expect((first < second) == first.bytes.lexicographicallyPrecedes(second.bytes))
    }

    @Test("bytes of another length are refused", arguments: [0, 31, 33, 64])
    func wrongLength(_ count: Int) {
        #expect(Digest(bytes: [UInt8](repeating: 1, count: count)) == nil)
    }

    @Test("the empty content is the SHA-256 of nothing at level 0")
    func emptyContent() {
        #expect(
            Content.empty.id.digest.hex == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(Content.empty.id.level == 0)
        #expect(Content.empty.size == 0)
    }

    @Test("a content is one block at level 0 and a page above")
    func roots() {
        let digest = Content.empty.id.digest
        #expect(ContentID(level: 0, digest: digest).block == BlockID(digest))
        #expect(ContentID(level: 0, digest: digest).page == nil)
        #expect(ContentID(level: 2, digest: digest).block == nil)
        #expect(ContentID(level: 2, digest: digest).page == PageID(digest))
        #expect(ContentID(level: 2, digest: digest).description == "2-" + digest.hex)
    }
}
