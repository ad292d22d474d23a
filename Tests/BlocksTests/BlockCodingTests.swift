import Blocks
import Model
import TestSupport
import Testing

@Suite("BlockEncoder and BlockDecoder")
struct BlockCodingTests {
    private let encoder = BlockEncoder()
    private let decoder = BlockDecoder()

    private func encode(_ plain: [UInt8], as compression: Compression) -> EncodedBlock {
        plain.withUnsafeBytes {
            encoder.encode($0, id: BlockID(SHA256Hasher.digest(of: $0)), as: compression)
        }
    }

    static let compressions: [Compression] = [
        .stored, .zstd(level: -5), .zstd(level: 1), .zstd(level: 3), .zstd(level: 15),
    ]

    @Test("a block comes back as it was", arguments: compressions, [0, 1, 33, 1000, 70_000, 1 << 20])
    func roundTrip(compression: Compression, count: Int) throws {
        var generator = SeededGenerator(seed: UInt64(count))
        for plain in [Golden.lineBytes(count), generator.bytes(count)] {
            let block = encode(plain, as: compression)
            #expect(block.length == count)
            #expect(block.payload.count <= count)
            #expect(try decoder.decode(block) == plain)
        }
    }

    @Test("text shrinks, and more at a higher level")
    func shrinks() {
        var generator = SeededGenerator(seed: 4)
        let words = (0..<500).map { _ in generator.bytes(3).hex + " " }
        let plain = (0..<15_000).flatMap { _ in words[Int.random(in: 0..<500, using: &generator)].utf8 }
        let (fast, dense) = (encode(plain, as: .zstd(level: 1)), encode(plain, as: .zstd(level: 15)))
        #expect(fast.codec == .zstd)
        #expect(fast.payload.count < plain.count / 2)
        #expect(dense.payload.count < fast.payload.count)
    }

    @Test("what does not shrink is stored")
    func fallsBack() {
        var generator = SeededGenerator(seed: 1)
        let plain = generator.bytes(50_000)
        let block = encode(plain, as: .zstd(level: 3))
        #expect(block.codec == .stored)
        #expect(block.payload == plain)
    }

    @Test("what shrinks by less than a thirty-second is stored, by more is not", arguments: [1500, 3000])
    func threshold(repeated: Int) {
        var generator = SeededGenerator(seed: 2)
        let plain = generator.bytes(64_000) + [UInt8](repeating: 7, count: repeated)
        #expect(encode(plain, as: .zstd(level: 1)).codec == (repeated == 1500 ? .stored : .zstd))
    }

    @Test("the encoder and the decoder leave nothing behind for the next block")
    func reuse() throws {
        let blocks = (0..<50).map { encode(Golden.lineBytes(1000 + $0 * 77), as: .zstd(level: Int32($0 % 4))) }
        for block in blocks.reversed() { #expect(try decoder.decode(block).count == block.length) }
        #expect(blocks[9] == encode(Golden.lineBytes(1000 + 9 * 77), as: .zstd(level: 1)))
    }

    @Test("a block decodes into memory of its length")
    func into() throws {
        let plain = Golden.lineBytes(5000)
        var out = [UInt8](repeating: 0, count: 5000)
        try out.withUnsafeMutableBytes { try decoder.decode(encode(plain, as: .zstd(level: 1)), into: $0) }
        #expect(out == plain)
    }

    @Test("any byte of the payload that changes is noticed", arguments: [Compression.stored, .zstd(level: 1)])
    func flips(compression: Compression) {
        let block = encode(Golden.lineBytes(400), as: compression)
        for index in block.payload.indices {
            var payload = block.payload
            payload[index] ^= 0x10
            guard let plain = try? decoder.decode(changed(block, payload: payload)) else { continue }
            // A flipped bit of the frame's header may be one that means nothing: then the plaintext is the same.
            #expect(SHA256Hasher.digest(of: plain) == block.id.digest)
            #expect(compression != .stored)
        }
    }

    @Test("a cut payload is corrupt", arguments: 1...20)
    func cut(count: Int) {
        let block = encode(Golden.lineBytes(400), as: .zstd(level: 1))
        #expect(throws: BlocksError(.corruptBlock, "")) {
            try decoder.decode(changed(block, payload: block.payload.dropLast(count)))
        }
    }

    @Test("another block's bytes have the wrong hash")
    func wrongHash() {
        let block = encode(Golden.lineBytes(400), as: .zstd(level: 1))
        let other = encode(Array(Golden.lineBytes(401).dropFirst()), as: .stored)
        #expect(throws: BlocksError(.hashMismatch, "")) {
            try decoder.decode(EncodedBlock(id: other.id, codec: .zstd, length: 400, payload: block.payload))
        }
        #expect(throws: BlocksError(.hashMismatch, "")) {
            try decoder.decode(EncodedBlock(id: block.id, codec: .stored, length: 400, payload: other.payload))
        }
    }

    @Test("a wrong length is corrupt", arguments: [300, 399, 401, 500])
    func wrongLength(length: Int) {
        let block = encode(Golden.lineBytes(400), as: .zstd(level: 1))
        #expect(throws: BlocksError(.corruptBlock, "")) {
            try decoder.decode(EncodedBlock(id: block.id, codec: .zstd, length: length, payload: block.payload))
        }
    }

    @Test("stored bytes of another number than said are corrupt")
    func storedLength() {
        let block = encode(Golden.lineBytes(400), as: .stored)
        #expect(throws: BlocksError(.corruptBlock, "")) {
            try decoder.decode(EncodedBlock(id: block.id, codec: .stored, length: 401, payload: block.payload))
        }
    }

    @Test("lengths beyond the limit are refused before anything is allocated", arguments: [-1, (1 << 20) + 1, Int.max])
    func tooLong(length: Int) {
        let block = encode(Golden.lineBytes(400), as: .zstd(level: 1))
        #expect(throws: BlocksError(.tooLarge, "")) {
            try decoder.decode(EncodedBlock(id: block.id, codec: .zstd, length: length, payload: block.payload))
        }
    }

    @Test("a payload longer than its plaintext is refused")
    func longPayload() {
        let block = encode(Golden.lineBytes(400), as: .zstd(level: 1))
        #expect(throws: BlocksError(.tooLarge, "")) {
            try decoder.decode(EncodedBlock(id: block.id, codec: .zstd, length: 5, payload: block.payload))
        }
    }

    @Test("a frame that unpacks to far more than it says is stopped at its length")
    func bomb() {
        let bomb = encode([UInt8](repeating: 0, count: 1 << 20), as: .zstd(level: 15))
        #expect(bomb.payload.count < 200)
        #expect(throws: BlocksError(.corruptBlock, "")) {
            try decoder.decode(EncodedBlock(id: bomb.id, codec: .zstd, length: 1000, payload: bomb.payload))
        }
    }

    private func changed(_ block: EncodedBlock, payload: some Sequence<UInt8>) -> EncodedBlock {
        EncodedBlock(id: block.id, codec: block.codec, length: block.length, payload: Array(payload))
    }
}
