import Model
import TestSupport
import Testing

@testable import Blocks

@Suite("CompressionPolicy")
struct CompressionPolicyTests {
    private let policy = CompressionPolicy(level: 3)

    private func choose(_ name: String?, _ sample: [UInt8]) throws -> Compression {
        let name = try name.map { try NodeName($0) }
        return sample.withUnsafeBytes { policy.choose(name: name, sample: $0) }
    }

    private func random(_ count: Int) -> [UInt8] {
        var generator = SeededGenerator(seed: UInt64(count))
        return generator.bytes(count)
    }

    /// Bytes that are uneven, but not as text is.
    private func mixed(_ count: Int) -> [UInt8] {
        random(count).enumerated().map { $0.offset % 16 == 0 ? 0 : $0.element }
    }

    static let signatures: [(name: String, head: [UInt8])] = [
        ("JPEG", [0xFF, 0xD8, 0xFF, 0xE0]), ("PNG", [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]),
        ("zip", Array("PK".utf8) + [3, 4]), ("gzip", [0x1F, 0x8B, 8]), ("zstd", [0x28, 0xB5, 0x2F, 0xFD]),
        ("xz", [0xFD] + Array("7zXZ".utf8) + [0]), ("bzip2", Array("BZh9".utf8)),
        ("MP4", [0, 0, 0, 0x18] + Array("ftypisom".utf8)), ("WebP", Array("RIFF1234WEBP".utf8)),
        ("Ogg", Array("OggS".utf8)), ("FLAC", Array("fLaC".utf8)), ("GIF", Array("GIF89a".utf8)),
    ]

    @Test("what begins as a compressed format is stored, whatever its name", arguments: signatures.indices)
    func signature(index: Int) throws {
        let sample = Self.signatures[index].head + Golden.lineBytes(4000)
        #expect(try choose(nil, sample) == .stored)
        #expect(try choose("notes.txt", sample) == .stored)
    }

    @Test("a signature that is cut short is none")
    func cutShort() throws {
        #expect(try choose(nil, [0xFF, 0xD8]) == .zstd(level: 3))
        #expect(try choose(nil, Array("RIFF1234WEB".utf8)) == .zstd(level: 3))
    }

    @Test("a WAV file begins like WebP, but is compressed")
    func wave() throws {
        #expect(try choose("a.wav", Array("RIFF1234WAVEfmt ".utf8) + mixed(4096)) == .zstd(level: 3))
    }

    @Test("the extension decides where the bytes do not", arguments: ["a.jpg", "A.JPG", "b.tar.gz", "c.Mp4", ".x.zip"])
    func named(name: String) throws {
        #expect(try choose(name, mixed(4096)) == .stored)
        #expect(try choose(name, [1, 2, 3]) == .stored)
    }

    @Test("other names say nothing", arguments: ["a.txt", "jpg", ".jpg", "a.jpg.txt", "a.", "zip.d", "a.verylongzip"])
    func otherNames(name: String) throws {
        #expect(try choose(name, mixed(4096)) == .zstd(level: 3))
    }

    @Test("text that is called a picture is compressed as text")
    func misnamed() throws {
        #expect(try choose("a.jpg", Golden.lineBytes(4000)) == .zstd(level: 3))
    }

    @Test("random bytes are stored", arguments: [1024, 1025, 4096, 5000, 100_000, 524_288])
    func incompressible(count: Int) throws {
        #expect(try choose(nil, random(count)) == .stored)
    }

    @Test("a few bytes are compressed: there is not enough to tell", arguments: [0, 1, 100, 1023])
    func tooFew(count: Int) throws {
        #expect(try choose(nil, random(count)) == .zstd(level: 3))
    }

    @Test("the middle and the end of a sample count too")
    func spread() throws {
        let sample = random(30_000) + Golden.lineBytes(30_000) + Golden.lineBytes(30_000)
        #expect(try choose(nil, sample) == .zstd(level: 3))
    }

    @Test("evenness tells random, mixed and text apart")
    func evenness() {
        #expect(random(4096).withUnsafeBytes { Evenness(of: $0) } == .random)
        #expect(mixed(4096).withUnsafeBytes { Evenness(of: $0) } == .mixed)
        #expect(Golden.lineBytes(4096).withUnsafeBytes { Evenness(of: $0) } == .text)
        #expect([1, 2].withUnsafeBytes { Evenness(of: $0) } == .unknown)
    }

    @Test("random bytes of a thousand seeds are all told", arguments: [1024, 4096])
    func reliable(count: Int) {
        for seed in 0..<1000 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            let sample = generator.bytes(count)
            #expect(sample.withUnsafeBytes { Evenness(of: $0) } == .random, "seed \(seed)")
        }
    }

    @Test("the level is that of the policy")
    func levels() {
        let text = Golden.lineBytes(4000)
        #expect(text.withUnsafeBytes { CompressionPolicy().choose(name: nil, sample: $0) } == .zstd(level: 1))
        #expect(text.withUnsafeBytes { CompressionPolicy.archive.choose(name: nil, sample: $0) } == .zstd(level: 19))
        #expect(CompressionPolicy.fast == CompressionPolicy())
    }
}
