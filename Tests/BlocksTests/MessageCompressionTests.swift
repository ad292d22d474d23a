import Blocks
import TestSupport
import Testing

@Suite("MessageCompression")
struct MessageCompressionTests {
    @Test("a message comes back, at its very limit", arguments: [30, 1000, 100_000, 3_000_000])
    func roundTrip(count: Int) throws {
        let message = count == 30 ? [UInt8](repeating: 7, count: 30) : Golden.lineBytes(count)
        let frame = try #require(MessageCompression.compress(message))
        #expect(frame.count < message.count)
        #expect(try MessageCompression.decompress(frame, atMost: count) == message)
    }

    @Test("what does not shrink is left alone", arguments: [0, 1, 2, 5000])
    func incompressible(count: Int) {
        var generator = SeededGenerator(seed: 1)
        #expect(MessageCompression.compress(generator.bytes(count)) == nil)
    }

    @Test("more than the limit is refused", arguments: [0, 1, 999, 99_999])
    func limit(limit: Int) throws {
        let frame = try #require(MessageCompression.compress(Golden.lineBytes(100_000)))
        #expect(throws: BlocksError(.tooLarge, "")) { try MessageCompression.decompress(frame, atMost: limit) }
    }

    @Test("a frame that is cut off anywhere, is followed by others, or is none is refused")
    func malformed() throws {
        let frame = try #require(MessageCompression.compress(Golden.lineBytes(500)))
        let refused = BlocksError(.compression, "")
        for count in frame.indices {
            #expect(throws: refused) { try MessageCompression.decompress(Array(frame[..<count]), atMost: 1000) }
        }
        #expect(throws: refused) { try MessageCompression.decompress(frame + [0], atMost: 1000) }
        #expect(throws: refused) { try MessageCompression.decompress(Golden.lineBytes(100), atMost: 1000) }
    }
}
