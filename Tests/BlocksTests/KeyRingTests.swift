import Blocks
import Model
import TestSupport
import Testing

@Suite("KeyRing")
struct KeyRingTests {
    private let account = BlockSealerTests.account

    /// Whether two keys are the same: what one seals the other opens.
    private func same(_ left: AccountKey, _ right: AccountKey) throws -> Bool {
        let block = EncodedBlock(id: BlockID(SHA256Hasher.digest(of: [7])), codec: .stored, length: 1, payload: [7])
        let sealed = try BlockSealer(key: left, account: account).seal(block)
        let other = try BlockSealer(key: right, account: account)
        return (try? sealed.withUnsafeBytes { try other.openAny($0) }) == block
    }

    @Test("the text of the reference is read, and written again as it was")
    func golden() throws {
        let ring = try KeyRing(parsing: Golden.text("keyring.txt"))
        #expect(ring.versions == [1, 3])
        #expect(ring.current == 3)
        #expect(ring.text == Golden.text("keyring.txt"))
    }

    @Test("keys that the reference wrapped are unwrapped, by old and new master keys", arguments: [1, 3] as [UInt32])
    func goldenUnwrap(version: UInt32) throws {
        let ring = try KeyRing(parsing: Golden.text("keyring.txt"))
        let wrapped = WrappedKey(masterKey: version, bytes: Golden.bytes("wrapped-\(version).hex"))
        #expect(try same(ring.unwrap(wrapped, for: account), BlockSealerTests.key))
    }

    @Test("with the reference's nonce the wrapped key is the reference's, byte for byte")
    func goldenWrap() throws {
        let ring = try KeyRing(parsing: Golden.text("keyring.txt"))
        var nonces = FixedNonces()
        let wrapped = try ring.wrap(BlockSealerTests.key, for: account, nonces: &nonces)
        #expect(wrapped == WrappedKey(masterKey: 3, bytes: Golden.bytes("wrapped-3.hex")))
    }

    @Test("a wrapped key comes back, and looks different each time")
    func roundTrip() throws {
        let ring = KeyRing.generate()
        let key = AccountKey.generate()
        let (first, second) = (try ring.wrap(key, for: account), try ring.wrap(key, for: account))
        #expect(first.bytes.count == 60)
        #expect(first != second)
        #expect(try same(ring.unwrap(first, for: account), key))
        #expect(try same(ring.unwrap(second, for: account), key))
        #expect(try !same(ring.unwrap(first, for: account), .generate()))
    }

    @Test("rotation: old keys still unwrap, rewrapping moves to the new one, then the old one can go")
    func rotation() throws {
        let old = KeyRing.generate()
        let key = AccountKey.generate()
        let wrapped = try old.wrap(key, for: account)
        let rotated = old.rotated()
        #expect(rotated.current == 2)
        #expect(rotated.versions == [1, 2])
        #expect(try same(rotated.unwrap(wrapped, for: account), key))

        let rewrapped = try rotated.rewrap(wrapped, for: account)
        #expect(rewrapped.masterKey == 2)
        #expect(throws: BlocksError(.unknownKey, "")) { try old.unwrap(rewrapped, for: account) }
        let alone = try rotated.removing(1)
        #expect(alone.versions == [2])
        #expect(try same(alone.unwrap(rewrapped, for: account), key))
        #expect(throws: BlocksError(.unknownKey, "")) { try alone.unwrap(wrapped, for: account) }
    }

    @Test("neither the current key nor an unknown one can be removed", arguments: [0, 2, 3] as [UInt32])
    func removing(version: UInt32) {
        #expect(throws: BlocksError(.unknownKey, "")) { try KeyRing.generate().rotated().removing(version) }
    }

    @Test("any bit of a wrapped key that changes is noticed")
    func flips() throws {
        let ring = KeyRing.generate()
        let wrapped = try ring.wrap(.generate(), for: account)
        for index in wrapped.bytes.indices {
            var bytes = wrapped.bytes
            bytes[index] ^= 0x80
            #expect(throws: BlocksError(.authenticationFailed, "")) {
                try ring.unwrap(WrappedKey(masterKey: 1, bytes: bytes), for: account)
            }
        }
    }

    @Test("a wrapped key of another length does not open", arguments: [0, 12, 59, 61])
    func length(count: Int) {
        #expect(throws: BlocksError(.authenticationFailed, "")) {
            try KeyRing.generate().unwrap(
                WrappedKey(masterKey: 1, bytes: [UInt8](repeating: 0, count: count)), for: account)
        }
    }

    @Test("a wrapped key belongs to one account, one ring and one version")
    func bound() throws {
        let ring = KeyRing.generate().rotated()
        let wrapped = try ring.wrap(.generate(), for: account)
        let failed = BlocksError(.authenticationFailed, "")
        #expect(throws: failed) { try ring.unwrap(wrapped, for: AccountID(high: 0, low: 1)) }
        #expect(throws: failed) { try KeyRing.generate().rotated().unwrap(wrapped, for: account) }
        #expect(throws: failed) { try ring.unwrap(WrappedKey(masterKey: 1, bytes: wrapped.bytes), for: account) }
    }

    @Test("a ring is written and read with all its keys")
    func text() throws {
        let ring = KeyRing.generate().rotated().rotated()
        let wrapped = try ring.wrap(BlockSealerTests.key, for: account)
        let read = try KeyRing(parsing: ring.text)
        #expect(read.versions == [1, 2, 3])
        #expect(read.text == ring.text)
        #expect(try same(read.unwrap(wrapped, for: account), BlockSealerTests.key))
    }

    @Test("any character of the text that changes is noticed")
    func damagedText() {
        let text = Array(Golden.text("keyring.txt").utf8)
        for index in text.indices {
            var damaged = text
            damaged[index] ^= 1
            #expect(throws: BlocksError(.malformedKeyring, ""), "byte \(index)") {
                try KeyRing(parsing: String(decoding: damaged, as: UTF8.self))
            }
            #expect(throws: BlocksError(.malformedKeyring, ""), "up to \(index)") {
                try KeyRing(parsing: String(decoding: text[..<index], as: UTF8.self))
            }
        }
    }

    private static let digits = String(repeating: "ab", count: 32)

    @Test(
        "lines that no ring has are refused though the sum fits",
        arguments: [
            [], ["key 0 \(digits)"], ["key 1 \(digits)", "key 1 \(digits)"], ["key 2 \(digits)", "key 1 \(digits)"],
            ["key 01 \(digits)"], ["key 1 \(digits)00"], ["key 1 \(digits.dropLast(2))"],
            ["key 1 \(digits.dropLast())g"],
            ["key 1  \(digits)"], ["key 1 \(digits) "], ["KEY 1 \(digits)"], ["key 4294967296 \(digits)"],
            ["key -1 \(digits)"], ["# a comment", "key 1 \(digits)"], ["key 1 \(digits)", ""],
        ])
    func malformed(lines: [String]) {
        let body = "cairn-keyring 1\n" + lines.map { $0 + "\n" }.joined()
        let text = body + "sum \(SHA256Hasher.digest(of: Array(body.utf8)))\n"
        #expect(throws: BlocksError(.malformedKeyring, "")) { try KeyRing(parsing: text) }
    }

    @Test("a text with the line ends of other systems is refused")
    func lineEnds() {
        let text = Golden.text("keyring.txt").split(separator: "\n").map { $0 + "\r\n" }.joined()
        #expect(throws: BlocksError(.malformedKeyring, "")) { try KeyRing(parsing: text) }
    }

    @Test("an error about a ring does not show a key, nor does a description")
    func discreet() throws {
        let body = "cairn-keyring 1\nkey 1 \(Self.digits)00\n"
        let text = body + "sum \(SHA256Hasher.digest(of: Array(body.utf8)))\n"
        let error = #expect(throws: BlocksError.self) { try KeyRing(parsing: text) }
        #expect(error?.description.contains("abab") == false)
        #expect(error?.description.contains("line 2") == true)
        let ring = try KeyRing(parsing: Golden.text("keyring.txt"))
        #expect("\(ring)" == "KeyRing(versions: [1, 3])")
        #expect("\(BlockSealerTests.key)" == "AccountKey(hidden)")
    }
}
