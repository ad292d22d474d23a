import Model

extension KeyRing {
    private static let title = "cairn-keyring 1"

    /// The ring as its file holds it: a title, a line for each key, and a sum that tells a damaged file from a wrong
    /// key.
    ///
    /// The text holds the keys themselves: write it to a file that nobody else can read.
    public var text: String {
        var text = Self.title + "\n"
        for (version, key) in keys { text += "key \(version) \(key.withBytes { [UInt8]($0) }.hex)\n" }
        return text + "sum \(Self.sum(of: text))\n"
    }

    /// Reads the text of a ring.
    /// - Throws: ``BlocksError`` `malformedKeyring` naming the line, never its key.
    public init(parsing text: String) throws {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard lines.first == Self.title else { throw Self.malformed(1, "'\(Self.title)' is missing") }
        guard lines.count >= 4, lines[lines.count - 1].isEmpty else {
            throw Self.malformed(lines.count, "the end is missing")
        }
        let body = lines[..<(lines.count - 2)]
        let sum = Self.sum(of: body.map { $0 + "\n" }.joined())
        guard lines[lines.count - 2] == "sum \(sum)" else {
            throw Self.malformed(lines.count - 1, "the sum is missing or does not fit the lines above")
        }
        var keys: [(version: UInt32, key: SecretKey)] = []
        for (index, line) in body.enumerated().dropFirst() {
            let key = try Self.key(of: line, number: index + 1)
            guard key.version > keys.last?.version ?? 0 else {
                throw Self.malformed(index + 1, "versions must ascend from 1 on")
            }
            keys.append(key)
        }
        self.init(keys: keys)
    }

    private static func key(of line: String, number: Int) throws(BlocksError) -> (version: UInt32, key: SecretKey) {
        let words = line.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 3, words[0] == "key", let version = UInt32(words[1]), String(version) == words[1] else {
            throw malformed(number, "'key VERSION BYTES' is expected")
        }
        guard let bytes = [UInt8](hex: String(words[2])), bytes.count == SecretKey.length else {
            throw malformed(number, "a key is \(SecretKey.length * 2) hexadecimal digits")
        }
        return (version, SecretKey { $0.copyBytes(from: bytes) })
    }

    private static func sum(of text: String) -> String {
        SHA256Hasher.digest(of: Array(text.utf8)).hex
    }

    private static func malformed(_ line: Int, _ reason: String) -> BlocksError {
        BlocksError(.malformedKeyring, "line \(line) of the key ring: \(reason)")
    }
}
