import Blocks
import Model
import TestSupport
import Testing

@Suite("ContentSplitter")
struct ContentSplitterTests {
    private let chunker = Chunker(ChunkerTests.small)

    private struct Piece: Equatable {
        let id: BlockID
        let bytes: [UInt8]
    }

    private struct Broken: Error {}

    /// Splits bytes that come in reads of at most `step(asked)` bytes.
    private func split(
        _ bytes: [UInt8], bufferSize: Int, step: (Int) -> Int
    ) throws -> (pieces: [Piece], size: UInt64) {
        let splitter = ContentSplitter(chunker: chunker, bufferSize: bufferSize)
        var position = 0
        var pieces: [Piece] = []
        let size = try splitter.split { room in
            let count = min(room.count, bytes.count - position, max(1, step(room.count)))
            room.copyBytes(from: bytes[position..<(position + count)])
            position += count
            return count
        } block: { id, bytes in
            pieces.append(Piece(id: id, bytes: Array(bytes)))
        }
        return (pieces, size)
    }

    @Test(
        "the blocks are the content, named by their hashes, cut as in one go", arguments: [1024, 1025, 4096, 1 << 20])
    func whole(bufferSize: Int) throws {
        var generator = SeededGenerator(seed: 1)
        let bytes = generator.bytes(60_001)
        let (pieces, size) = try split(bytes, bufferSize: bufferSize) { $0 }
        #expect(size == 60_001)
        #expect(pieces.flatMap(\.bytes) == bytes)
        #expect(pieces.map(\.bytes.count) == chunker.lengths(of: bytes))
        #expect(pieces.allSatisfy { $0.id == BlockID(SHA256Hasher.digest(of: $0.bytes)) })
    }

    @Test("short reads change nothing", arguments: 0..<10 as Range<UInt64>)
    func shortReads(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let bytes = generator.bytes(Int.random(in: 1...20_000, using: &generator))
        let expected = try split(bytes, bufferSize: 1 << 16) { $0 }
        let actual = try split(bytes, bufferSize: 2000) { Int.random(in: 1...$0, using: &generator) }
        #expect(actual.pieces == expected.pieces)
        #expect(actual.size == expected.size)
    }

    @Test("no bytes are no block")
    func empty() throws {
        let (pieces, size) = try split([], bufferSize: 1024) { $0 }
        #expect(pieces.isEmpty)
        #expect(size == 0)
    }

    @Test("one byte is one block")
    func single() throws {
        let (pieces, size) = try split([42], bufferSize: 1024) { $0 }
        #expect(pieces == [Piece(id: BlockID(SHA256Hasher.digest(of: [42])), bytes: [42])])
        #expect(size == 1)
    }

    @Test("a read is never given more room than the buffer, however long the content is")
    func bounded() throws {
        var generator = SeededGenerator(seed: 5)
        var greatest = 0
        let size = try split(generator.bytes(200_000), bufferSize: 4096) {
            greatest = max(greatest, $0)
            return $0
        }.size
        #expect(size == 200_000)
        #expect(greatest == 4096)
    }

    @Test("a failed read is passed on, and the splitter can be used again")
    func failedRead() throws {
        let splitter = ContentSplitter(chunker: chunker, bufferSize: 4096)
        var generator = SeededGenerator(seed: 6)
        let bytes = generator.bytes(3000)
        #expect(throws: Broken.self) {
            _ = try splitter.split { room in
                if room.count < 4096 { throw Broken() }
                room.copyBytes(from: bytes)
                return bytes.count
            } block: { _, _ in
            }
        }
        var ids: [BlockID] = []
        var given = false
        _ = try splitter.split { room in
            defer { given = true }
            if given { return 0 }
            room.copyBytes(from: bytes)
            return bytes.count
        } block: { id, _ in
            ids.append(id)
        }
        #expect(ids == chunker.blocks(of: bytes))
    }

    @Test("a failing taker of blocks ends the split")
    func failedBlock() {
        let splitter = ContentSplitter(chunker: chunker, bufferSize: 4096)
        var taken = 0
        #expect(throws: Broken.self) {
            _ = try splitter.split(read: { $0.count }) { _, _ in
                taken += 1
                if taken == 3 { throw Broken() }
            }
        }
        #expect(taken == 3)
    }
}
