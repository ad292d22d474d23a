import Model
import Testing

@testable import SyncPlanning

@Suite struct ConflictNamingTests {
    private func name(
        _ name: NodeName, device: String = "pc", isFolder: Bool = false, taken: Set<NodeName> = []
    ) -> NodeName {
        ConflictNaming(device: device, date: "2026-01-02").name(for: name, isFolder: isFolder, isTaken: taken.contains)
    }

    @Test(
        "the mark goes before the extension",
        arguments: [
            ("a", "a (conflicted copy pc 2026-01-02)"),
            ("a.txt", "a (conflicted copy pc 2026-01-02).txt"),
            ("a.b.txt", "a.b (conflicted copy pc 2026-01-02).txt"),
            ("a.tar.gz", "a (conflicted copy pc 2026-01-02).tar.gz"),
            (".tar.gz", ".tar (conflicted copy pc 2026-01-02).gz"),
            (".bashrc", ".bashrc (conflicted copy pc 2026-01-02)"),
            (".config.json", ".config (conflicted copy pc 2026-01-02).json"),
            ("...a", "...a (conflicted copy pc 2026-01-02)"),
            ("a.", "a. (conflicted copy pc 2026-01-02)"),
            ("Dr. Who", "Dr. Who (conflicted copy pc 2026-01-02)"),
            ("a.seventeen-letters", "a.seventeen-letters (conflicted copy pc 2026-01-02)"),
            ("café.txt", "café (conflicted copy pc 2026-01-02).txt"),
        ] as [(NodeName, NodeName)])
    func marks(name given: NodeName, expected: NodeName) {
        #expect(name(given) == expected)
    }

    @Test("a folder has no extension")
    func folders() {
        #expect(name("photos.2024", isFolder: true) == "photos.2024 (conflicted copy pc 2026-01-02)")
    }

    @Test("what is taken gets a number, before the extension")
    func numbers() {
        let taken: Set<NodeName> = [
            "a (conflicted copy pc 2026-01-02).txt", "a (conflicted copy pc 2026-01-02) 2.txt",
        ]
        #expect(name("a.txt", taken: taken) == "a (conflicted copy pc 2026-01-02) 3.txt")
    }

    @Test("a loser that loses again the same day gets a number, not a second mark")
    func repeated() {
        let first: NodeName = "a (conflicted copy pc 2026-01-02).txt"
        let second: NodeName = "a (conflicted copy pc 2026-01-02) 2.txt"
        #expect(name(first, taken: [first]) == second)
        #expect(name(second, taken: [first, second]) == "a (conflicted copy pc 2026-01-02) 3.txt")
        #expect(
            name("a (conflicted copy mac 2026-01-02).txt")
                == "a (conflicted copy mac 2026-01-02) (conflicted copy pc 2026-01-02).txt")
    }

    @Test("a name that is only a mark, or ends with a number of its own, is left whole")
    func lookalikes() {
        #expect(name("a 2") == "a 2 (conflicted copy pc 2026-01-02)")
        #expect(name("2024") == "2024 (conflicted copy pc 2026-01-02)")
        let only: NodeName = " (conflicted copy pc 2026-01-02)"
        #expect(name(only) == " (conflicted copy pc 2026-01-02) (conflicted copy pc 2026-01-02)")
    }

    @Test("long names are cut between characters and stay within 255 bytes", arguments: 240...255)
    func longNames(length: Int) throws {
        let stem =
            Array(String(repeating: "é", count: 120).utf8) + Array(repeating: UInt8(ascii: "x"), count: length - 240)
        let long = try NodeName(bytes: Array(stem.dropLast(4)) + Array(".txt".utf8))
        let result = name(long)
        #expect(result.bytes.count <= NodeName.maximumLength)
        #expect(result.bytes.count >= NodeName.maximumLength - 1)
        #expect(String(validating: result.bytes, as: UTF8.self) != nil)
        #expect(result.description.hasSuffix(" (conflicted copy pc 2026-01-02).txt"))
        #expect(name(long, taken: [result]) != result)
    }

    @Test("bytes that are not UTF-8 are kept")
    func otherBytes() throws {
        let odd = try NodeName(bytes: [0xFF, 0xFE, 0x80, 0x80, 0x80, 0x80, 0x2E, 0x74])
        #expect(name(odd).bytes.starts(with: [0xFF, 0xFE, 0x80, 0x80, 0x80, 0x80, 0x20]))
        let long = try NodeName(bytes: Array(repeating: 0x80, count: 255))
        #expect(name(long).bytes.count == 255)
    }

    @Test("a device may be called anything")
    func devices() {
        #expect(name("a", device: "x/y\0z\n") == "a (conflicted copy x-y-z- 2026-01-02)")
        let long = name("a", device: String(repeating: "ö", count: 300))
        #expect(long.bytes.count == 1 + " (conflicted copy  2026-01-02)".utf8.count + 64)
        #expect(String(validating: long.bytes, as: UTF8.self) != nil)
    }
}
