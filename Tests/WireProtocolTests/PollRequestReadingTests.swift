import Model
import TestSupport
import Testing
import WireProtocol

@Suite struct PollRequestReadingTests {
    private func read(_ bytes: [UInt8], into cursors: inout [Cursor]) throws(WireError) -> PollRequest {
        let result = bytes.withUnsafeBytes { bytes in
            Result { () throws(WireError) in try PollRequest.read(bytes, into: &cursors) }
        }
        return PollRequest(cursors: cursors, timeout: try result.get())
    }

    private func sample(_ generator: inout SeededGenerator) -> PollRequest {
        let count = Int.random(in: 0...6, using: &generator)
        let cursors = (0..<count).map { _ in
            Cursor(
                namespace: NamespaceID(using: &generator),
                revision: Revision(generator.next() >> UInt64.random(in: 0...63, using: &generator)))
        }
        return PollRequest(cursors: cursors, timeout: UInt32.random(in: 0...86_400, using: &generator))
    }

    @Test("a request is read into the same array again and again", arguments: 0..<10 as Range<UInt64>)
    func roundTrip(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var cursors: [Cursor] = []
        for _ in 0..<100 {
            let request = sample(&generator)
            #expect(try read(request.encoded(), into: &cursors) == request)
        }
    }

    @Test("whatever the bytes, the answer is that of the general reader", arguments: 0..<20 as Range<UInt64>)
    func agreement(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var cursors: [Cursor] = []
        for _ in 0..<500 {
            var bytes = try sample(&generator).encoded()
            for _ in 0..<Int.random(in: 1...3, using: &generator) { bytes = altered(bytes, &generator) }
            let expected = Result { () throws(WireError) in try PollRequest(decoding: bytes) }
            let found = Result { () throws(WireError) in try read(bytes, into: &cursors) }
            #expect(found == expected)
        }
    }

    private func altered(_ bytes: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        guard !bytes.isEmpty else { return [UInt8(truncatingIfNeeded: generator.next())] }
        var bytes = bytes
        let index = Int.random(in: bytes.indices, using: &generator)
        switch Int.random(in: 0..<5, using: &generator) {
        case 0: bytes[index] ^= 1 << UInt8.random(in: 0...7, using: &generator)
        case 1: bytes.removeLast(bytes.count - index)
        case 2: bytes.append(UInt8(truncatingIfNeeded: generator.next()))
        case 3: bytes.insert([0x80, 0xFF, 0x00].randomElement(using: &generator) ?? 0, at: index)
        default: bytes.remove(at: index)
        }
        return bytes
    }

    @Test(
        "the longest numbers and the numbers that are too long",
        arguments: [
            (Array(repeating: 0xFF, count: 9) + [0x01], true), (Array(repeating: 0xFF, count: 9) + [0x02], false),
            (Array(repeating: 0x80, count: 9) + [0x01], true), (Array(repeating: 0x80, count: 10) + [0x01], false),
            ([0x80, 0x00], false), ([0x00], true),
        ] as [([UInt8], Bool)])
    func numbers(revision: [UInt8], isRight: Bool) {
        var cursors: [Cursor] = []
        let bytes = [0, 1] + [UInt8](repeating: 7, count: 16) + revision
        let found = Result { () throws(WireError) in try read(bytes, into: &cursors) }
        #expect(((try? found.get()) != nil) == isRight)
        #expect(found == Result { () throws(WireError) in try PollRequest(decoding: bytes) })
    }
}
