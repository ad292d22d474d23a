import Blocks
import Model
import TestSupport
import Testing

@Suite("SHA256Hasher")
struct SHA256HasherTests {
    /// FIPS 180-4 examples and the NIST long message.
    static let vectors: [(message: [UInt8], hex: String)] = [
        ([], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (Array("abc".utf8), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        ),
    ]

    @Test("known messages have known hashes", arguments: vectors.indices)
    func known(index: Int) {
        let (message, hex) = Self.vectors[index]
        #expect(SHA256Hasher.digest(of: message).hex == hex)
    }

    @Test("pieces hash as the whole does, and a hasher starts anew", arguments: 0..<10 as Range<UInt64>)
    func pieces(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var hasher = SHA256Hasher()
        for _ in 0..<5 {
            let message = generator.bytes(Int.random(in: 0...300, using: &generator))
            var rest = message[...]
            while !rest.isEmpty {
                let piece = rest.prefix(Int.random(in: 0...100, using: &generator))
                piece.withUnsafeBytes { hasher.update($0) }
                rest = rest.dropFirst(piece.count)
            }
            #expect(hasher.finish() == SHA256Hasher.digest(of: message))
        }
    }

    @Test("the empty content is named by the hash of nothing")
    func empty() {
        var hasher = SHA256Hasher()
        #expect(hasher.finish() == Content.empty.id.digest)
        #expect(SHA256Hasher.digest(of: UnsafeRawBufferPointer(start: nil, count: 0)) == Content.empty.id.digest)
    }
}
