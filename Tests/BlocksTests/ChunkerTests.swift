import Model
import TestSupport
import Testing

@testable import Blocks

@Suite("Chunker")
struct ChunkerTests {
    static let small = ChunkerParameters(minimum: 64, normal: 256, maximum: 1024)

    @Test("the gear table and the masks are those of the format")
    func gear() {
        let lines = Golden.lines("gear.txt")
        let numbers = GearTable.numbers().map { [UInt8](bigEndian: $0).hex }
        #expect(numbers == Array(lines.prefix(256)))
        #expect("strict " + [UInt8](bigEndian: GearTable.mask(bits: 19)).hex == lines[256])
        #expect("lax " + [UInt8](bigEndian: GearTable.mask(bits: 15)).hex == lines[257])
    }

    @Test("no mask has bit 63, and each has as many bits as asked", arguments: 4...22)
    func masks(bits: Int) {
        let mask = GearTable.mask(bits: bits)
        #expect(mask >> 63 == 0)
        #expect(mask.nonzeroBitCount == bits)
    }

    @Test("cuts are those of the reference", arguments: Golden.lines("cuts.txt"))
    func goldenCuts(line: String) throws {
        let words = line.split(separator: " ").map(String.init)
        let numbers = words.dropFirst().compactMap(Int.init)
        let bytes = Golden.input(words[0], seed: UInt64(numbers[0]), count: numbers[1])
        let chunker = Chunker(ChunkerParameters(minimum: numbers[2], normal: numbers[3], maximum: numbers[4]))
        #expect(chunker.lengths(of: bytes) == Array(numbers[5...]))
    }

    @Test("two bytes a step cut where one byte a step does", arguments: 0..<30 as Range<UInt64>)
    func againstOneByteStep(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let bytes = generator.bytes(Int.random(in: 0...6000, using: &generator))
        let minimum = 2 * Int.random(in: 1...40, using: &generator)
        let parameters = ChunkerParameters(minimum: minimum, normal: 128, maximum: minimum + 400 + 2 * Int(seed))
        #expect(Chunker(parameters).lengths(of: bytes) == OneByteChunker(parameters).lengths(of: bytes))
    }

    @Test("every block but the last is within the bounds, and together they are the content")
    func bounds() {
        var generator = SeededGenerator(seed: 3)
        let bytes = generator.bytes(300_000)
        let lengths = Chunker(Self.small).lengths(of: bytes)
        #expect(lengths.reduce(0, +) == bytes.count)
        #expect(lengths.dropLast().allSatisfy { $0 > 64 && $0 <= 1024 })
        let mean = bytes.count / lengths.count
        #expect((256...340).contains(mean), "the mean is \(mean)")
    }

    @Test("bytes of one value make blocks of the greatest length", arguments: [0, 0x20, 0xFF] as [UInt8])
    func uniform(value: UInt8) {
        let bytes = [UInt8](repeating: value, count: 1_200_000)
        #expect(Chunker().lengths(of: bytes) == [524_288, 524_288, 151_424])
    }

    @Test("an insertion or a deletion moves only the cuts beside it", arguments: 0..<20 as Range<UInt64>)
    func locality(seed: UInt64) {
        var generator = SeededGenerator(seed: 100 + seed)
        let old = generator.bytes(100_000)
        var new = old
        let place = Int.random(in: 0..<old.count, using: &generator)
        if seed % 2 == 0 {
            new.insert(contentsOf: generator.bytes(1 + Int(seed)), at: place)
        } else {
            new.removeSubrange(place..<min(place + 50, new.count))
        }
        let chunker = Chunker(Self.small)
        let fresh = Set(chunker.blocks(of: new)).subtracting(chunker.blocks(of: old))
        #expect(!fresh.isEmpty || new.count < old.count)
        #expect(fresh.count <= 12, "\(fresh.count) of \(chunker.blocks(of: new).count) blocks are new")
    }

    @Test(
        "more bytes are asked for until the answer can't change", arguments: [1, 63, 64, 65, 200, 255, 256, 257, 1023])
    func patience(count: Int) {
        var generator = SeededGenerator(seed: 7)
        let bytes = generator.bytes(4000)
        let chunker = Chunker(Self.small)
        let whole = bytes.withUnsafeBytes { chunker.boundary(in: $0, atEnd: true) }
        let part = bytes.withUnsafeBytes { bytes in
            chunker.boundary(in: UnsafeRawBufferPointer(rebasing: bytes[..<count]), atEnd: false)
        }
        #expect(part == nil || part == whole)
        if let whole, count < whole { #expect(part == nil) }
        let last = bytes.withUnsafeBytes { bytes in
            chunker.boundary(in: UnsafeRawBufferPointer(rebasing: bytes[..<count]), atEnd: true)
        }
        #expect(last == min(whole ?? 0, count))
    }

    @Test("with the greatest length at hand there is always an answer")
    func alwaysAnswers() {
        let bytes = [UInt8](repeating: 0, count: 1024)
        #expect(bytes.withUnsafeBytes { Chunker(Self.small).boundary(in: $0, atEnd: false) } == 1024)
    }

    @Test("what follows the longest block changes nothing")
    func lookahead() {
        var generator = SeededGenerator(seed: 11)
        let bytes = generator.bytes(1024)
        let chunker = Chunker(Self.small)
        let alone = bytes.withUnsafeBytes { chunker.boundary(in: $0, atEnd: true) }
        let followed = (bytes + generator.bytes(999)).withUnsafeBytes { chunker.boundary(in: $0, atEnd: false) }
        #expect(alone == followed)
    }

    @Test("no bytes have no block", arguments: [true, false])
    func nothing(atEnd: Bool) {
        #expect(Chunker().boundary(in: UnsafeRawBufferPointer(start: nil, count: 0), atEnd: atEnd) == nil)
    }

    @Test("the standard lengths are 32, 128 and 512 KiB")
    func standard() {
        #expect(Chunker().parameters == ChunkerParameters(minimum: 32_768, normal: 131_072, maximum: 524_288))
    }
}

extension Chunker {
    func lengths(of bytes: [UInt8]) -> [Int] {
        var lengths: [Int] = []
        bytes.withUnsafeBytes { bytes in
            var position = 0
            while position < bytes.count,
                let length = boundary(in: UnsafeRawBufferPointer(rebasing: bytes[position...]), atEnd: true)
            {
                lengths.append(length)
                position += length
            }
        }
        return lengths
    }

    func blocks(of bytes: [UInt8]) -> [BlockID] {
        var position = 0
        return lengths(of: bytes).map { length in
            defer { position += length }
            return BlockID(SHA256Hasher.digest(of: Array(bytes[position..<(position + length)])))
        }
    }
}

/// The chunker as docs/format.md words it: one byte a step.
struct OneByteChunker {
    let parameters: ChunkerParameters
    let gear = GearTable.numbers()

    init(_ parameters: ChunkerParameters) {
        self.parameters = parameters
    }

    func lengths(of bytes: [UInt8]) -> [Int] {
        var lengths: [Int] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            lengths.append(first(Array(rest)))
            rest = rest.dropFirst(lengths[lengths.count - 1])
        }
        return lengths
    }

    private func first(_ bytes: [UInt8]) -> Int {
        let limit = min(bytes.count, parameters.maximum)
        if limit <= parameters.minimum { return limit }
        let bits = parameters.normal.trailingZeroBitCount
        var hash: UInt64 = 0
        for index in parameters.minimum..<limit {
            hash = (hash << 1) &+ gear[Int(bytes[index])]
            let mask = GearTable.mask(bits: index < parameters.normal ? bits + 2 : bits - 2)
            if hash & mask == 0 { return index + 1 }
        }
        return limit
    }
}
