import Model
import TestSupport
import Testing

@testable import Blocks

@Suite("BlockSealer")
struct BlockSealerTests {
    /// The account of the golden files: the bytes 16 to 31.
    static let account = AccountID(high: 0x1011_1213_1415_1617, low: 0x1819_1a1b_1c1d_1e1f)
    /// The key of the golden files.
    static var key: AccountKey {
        var bytes = CountingBytes()
        return AccountKey(using: &bytes)
    }

    private let sealer: BlockSealer

    init() throws {
        sealer = try BlockSealer(key: Self.key, account: Self.account)
    }

    private func block(_ plain: [UInt8], as compression: Compression = .stored) -> EncodedBlock {
        plain.withUnsafeBytes {
            BlockEncoder().encode($0, id: BlockID(SHA256Hasher.digest(of: $0)), as: compression)
        }
    }

    private func open(_ sealed: [UInt8], with other: BlockSealer? = nil) throws -> EncodedBlock {
        try sealed.withUnsafeBytes { try (other ?? sealer).openAny($0) }
    }

    @Test("a record of the reference opens", arguments: ["sealed.hex", "sealed-zstd.hex"])
    func golden(name: String) throws {
        let block = try open(Golden.bytes(name))
        let once = Golden.lineBytes(300)
        let plain = name == "sealed.hex" ? once : Array(repeatElement(once, count: 50).joined())
        #expect(block.codec == (name == "sealed.hex" ? .stored : .zstd))
        #expect(try BlockDecoder().decode(block) == plain)
    }

    @Test("with the reference's nonce the record is the reference's, byte for byte")
    func goldenSeal() throws {
        let sealer = try BlockSealer(key: Self.key, account: Self.account, nonces: FixedNonces())
        #expect(try sealer.seal(block(Golden.lineBytes(300))) == Golden.bytes("sealed.hex"))
    }

    @Test("what was sealed opens as it was", arguments: [0, 1, 15, 16, 17, 1000, 131_071, 1 << 20])
    func roundTrip(count: Int) throws {
        var generator = SeededGenerator(seed: UInt64(count))
        for block in [block(generator.bytes(count)), block(Golden.lineBytes(count), as: .zstd(level: 1))] {
            let sealed = try sealer.seal(block)
            #expect(sealed.count == block.payload.count + BlockSealer.overhead)
            #expect(try open(sealed) == block)
            #expect(try sealed.withUnsafeBytes { try sealer.open($0, expecting: block.id) } == block)
        }
    }

    @Test("sealing reuses its context for blocks of every length, and opening between them changes nothing")
    func reuse() throws {
        for count in [500, 3, 0, 70_000, 16, 1] {
            let block = block(Golden.lineBytes(count))
            let (first, second) = (try sealer.seal(block), try sealer.seal(block))
            #expect(try open(first) == block)
            #expect(try open(second) == block)
        }
    }

    @Test("no two records have the same nonce")
    func nonces() throws {
        let block = block([1, 2, 3])
        let nonces = try (0..<2000).map { _ in Array(try sealer.seal(block)[1..<13]) }
        #expect(Set(nonces).count == 2000)
    }

    @Test("neither the name nor the text of a block is in the clear")
    func hidden() throws {
        let block = block(Golden.lineBytes(200))
        let sealed = try sealer.seal(block).hex
        #expect(!sealed.contains(block.id.digest.hex.prefix(16)))
        #expect(!sealed.contains(Array("golden".utf8).hex))
    }

    @Test("any bit that changes is noticed")
    func flips() throws {
        let sealed = try sealer.seal(block(Golden.lineBytes(40)))
        for index in sealed.indices {
            var changed = sealed
            changed[index] ^= UInt8(1 << (index % 8))
            let expected = BlocksError(index == 0 ? .corruptBlock : .authenticationFailed, "")
            #expect(throws: expected, "byte \(index)") { try open(changed) }
        }
        #expect(try open(sealed).length == 40)
    }

    @Test("a cut record does not open", arguments: [1, 16, 39, 40, 41, 105, 106])
    func cut(count: Int) throws {
        let sealed = try sealer.seal(block(Golden.lineBytes(40)))
        let expected = BlocksError(count > 40 ? .corruptBlock : .authenticationFailed, "")
        #expect(throws: expected) { try open(Array(sealed.dropLast(count))) }
    }

    @Test("a record that follows another in the same bytes is not part of it")
    func appended() throws {
        let sealed = try sealer.seal(block([1]))
        #expect(throws: BlocksError(.authenticationFailed, "")) { try open(sealed + sealed) }
    }

    @Test("another key does not open a record, nor does the same key for another account")
    func others() throws {
        let sealed = try sealer.seal(block(Golden.lineBytes(40)))
        let otherKey = try BlockSealer(key: .generate(), account: Self.account)
        #expect(throws: BlocksError(.authenticationFailed, "")) { try open(sealed, with: otherKey) }
        let otherAccount = try BlockSealer(key: Self.key, account: AccountID(high: 1, low: 1))
        #expect(throws: BlocksError(.authenticationFailed, "")) { try open(sealed, with: otherAccount) }
    }

    @Test("a record of another block than the expected one is refused by name")
    func unexpected() throws {
        let sealed = try sealer.seal(block([1]))
        let other = block([2]).id
        let error = #expect(throws: BlocksError(.hashMismatch, "")) {
            try sealed.withUnsafeBytes { try sealer.open($0, expecting: other) }
        }
        #expect(error?.message.contains(other.description) == true)
    }

    /// A record that is authentic, with any codec and length inside.
    private func forge(codec: UInt8, length: UInt32, payload: [UInt8]) throws -> [UInt8] {
        let header = block([1]).id.digest.bytes + [codec] + [UInt8](bigEndian: length)
        let nonce = [UInt8](repeating: 9, count: 12)
        let associated = [1] + Self.account.bytes
        let cipher = try AES256GCM(key: Self.key.secret)
        var sealed = header + payload + [UInt8](repeating: 0, count: 16)
        try sealed.withUnsafeMutableBytes { out in
            try associated.withUnsafeBytes { associated in
                try nonce.withUnsafeBytes { nonce in
                    let text = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(out)[..<(out.count - 16)])
                    try cipher.seal(
                        nonce: nonce.baseAddress!, associated: associated, header: text,
                        body: UnsafeRawBufferPointer(start: nil, count: 0), into: out.baseAddress!)
                }
            }
        }
        return [1] + nonce + sealed
    }

    @Test("what is authentic but has no meaning is refused all the same")
    func meaningless() throws {
        #expect(try open(forge(codec: 1, length: 700, payload: [1])).length == 700)
        #expect(throws: BlocksError(.corruptBlock, "")) { try open(forge(codec: 2, length: 1, payload: [1])) }
        #expect(throws: BlocksError(.corruptBlock, "")) { try open(forge(codec: 0, length: 2, payload: [1])) }
        #expect(throws: BlocksError(.tooLarge, "")) { try open(forge(codec: 1, length: (1 << 20) + 1, payload: [1])) }
        #expect(throws: BlocksError(.tooLarge, "")) { try open(forge(codec: 1, length: 1, payload: [1, 2])) }
    }

    @Test("what could not be read back is not sealed")
    func unreadable() {
        let id = block([1]).id
        #expect(throws: BlocksError(.corruptBlock, "")) {
            try sealer.seal(EncodedBlock(id: id, codec: .stored, length: 700, payload: [1]))
        }
        #expect(throws: BlocksError(.tooLarge, "")) {
            try sealer.seal(EncodedBlock(id: id, codec: .zstd, length: (1 << 20) + 1, payload: [1]))
        }
    }

    @Test("more bytes than any record has are refused")
    func tooLong() {
        let bytes = [1] + [UInt8](repeating: 0, count: (1 << 20) + BlockSealer.overhead)
        #expect(throws: BlocksError(.tooLarge, "")) { try open(bytes) }
    }
}
