import Blocks
import Model
import TestSupport
import Testing

@Suite("HMACSHA256")
struct HMACSHA256Tests {
    /// The test cases of RFC 4231 but the fifth, whose code is truncated.
    static let vectors: [(key: [UInt8], message: [UInt8], hex: String)] = [
        (
            [UInt8](repeating: 0x0b, count: 20), Array("Hi There".utf8),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        (
            [UInt8](repeating: 0xaa, count: 20), [UInt8](repeating: 0xdd, count: 50),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
        ),
        (
            Array(1...25), [UInt8](repeating: 0xcd, count: 50),
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"
        ),
        (
            [UInt8](repeating: 0xaa, count: 131),
            Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
        (
            [UInt8](repeating: 0xaa, count: 131),
            Array(
                ("This is a test using a larger than block-size key and a larger than block-size data. "
                    + "The key needs to be hashed before being used by the HMAC algorithm.").utf8),
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
        ),
    ]

    @Test("the test cases of RFC 4231 have their codes", arguments: vectors.indices)
    func known(index: Int) {
        let (key, message, hex) = Self.vectors[index]
        let hmac = HMACSHA256(key: key)
        #expect(hmac.code(of: message).hex == hex)
        // Again: a code leaves no trace in the key.
        #expect(hmac.code(of: message).hex == hex)
    }

    /// RFC 2104, written out with whole messages: keys around the length of a block are where an error would hide.
    private func reference(_ key: [UInt8], _ message: [UInt8]) -> Digest {
        let short = key.count > 64 ? SHA256Hasher.digest(of: key).bytes : key
        let block = short + [UInt8](repeating: 0, count: 64 - short.count)
        let inner = SHA256Hasher.digest(of: block.map { $0 ^ 0x36 } + message)
        return SHA256Hasher.digest(of: block.map { $0 ^ 0x5c } + inner.bytes)
    }

    @Test(
        "a key of any length does what the definition says", arguments: [0, 1, 31, 32, 63, 64, 65, 127, 128, 129])
    func definition(length: Int) {
        var generator = SeededGenerator(seed: UInt64(length))
        let key = generator.bytes(length)
        let hmac = HMACSHA256(key: key)
        for count in [0, 1, 55, 56, 63, 64, 65, 500] {
            let message = generator.bytes(count)
            #expect(hmac.code(of: message) == reference(key, message))
        }
    }

    @Test("a code is that of one message, every bit of it")
    func comparison() {
        let hmac = HMACSHA256(key: [1, 2, 3])
        let message: [UInt8] = [4, 5, 6]
        let code = hmac.code(of: message)
        message.withUnsafeBytes { bytes in
            #expect(hmac.isCode(code, of: bytes))
            for bit in 0..<256 {
                var altered = code.bytes
                altered[bit / 8] ^= 1 << (bit % 8)
                #expect(Digest(bytes: altered).map { hmac.isCode($0, of: bytes) } == false, "bit \(bit)")
            }
        }
        [4, 5, 7].withUnsafeBytes { #expect(!hmac.isCode(code, of: $0)) }
    }

    @Test("one key serves many threads")
    func threads() async {
        let hmac = HMACSHA256(key: [9])
        await withTaskGroup(of: Bool.self) { group in
            for seed in 0..<8 as Range<UInt64> {
                group.addTask {
                    var generator = SeededGenerator(seed: seed)
                    let message = generator.bytes(100)
                    let code = hmac.code(of: message)
                    return (0..<500).allSatisfy { _ in hmac.code(of: message) == code }
                }
            }
            for await isSame in group { #expect(isSame) }
        }
    }
}
