import Blocks
import Model
import TestSupport
import Testing
import WireProtocol

@Suite struct PollTokenTests {
    /// The poll keys of the key ring in Tests/BlocksTests/Golden, by another implementation.
    private static let keys: [UInt32: TokenKey] = [
        1: key("3fd9c0473cf2dd94bfa407b3f0e24c0c00a797ac81d5cdf5f4a649df5172f399"),
        3: key("2711cd7c3c13abd659aec7fb1f250aa0fc13da3710a5488314395a3241627c56"),
    ]

    /// Made by the same other implementation from the parts of ``sample``.
    private static let golden =
        "cairnpoll_AQAAAAMQERITFBUWFxgZGhscHR4fICEiIyQlJicoKSorLC0uLwAAAABpVzf9AjAxMjM0NTY3ODk6Ozw9Pj9AQUJDREVGR0hJSktMTU5P"
        + "RSiPreSZaHIO7mIzuS_vcWWxoAfq4Nyz0hpbRK06DEo"

    private static let sample = PollToken(
        account: identifier(16), device: identifier(32), namespaces: [identifier(48), identifier(64)],
        expires: 1_767_323_645)

    private static func key(_ hex: String) -> TokenKey {
        [UInt8](hex: hex).unsafelyUnwrapped.withUnsafeBytes { TokenKey(bytes: $0) }
    }

    private static func identifier<Kind>(_ first: UInt8) -> Identifier<Kind> {
        Identifier(bytes: Array(first..<first + 16)).unsafelyUnwrapped
    }

    private func verify(_ text: [UInt8], now: UInt64 = 1_767_323_644) throws(TokenError) -> PollToken {
        let result = text.withUnsafeBytes { bytes in
            Result { () throws(TokenError) in try PollToken.verify(bytes, keys: Self.keys, now: now) }
        }
        return try result.get()
    }

    private func verify(_ text: String, now: UInt64 = 1_767_323_644) throws(TokenError) -> PollToken {
        try verify(Array(text.utf8), now: now)
    }

    private func signed(_ token: PollToken) throws -> String {
        token.sign(with: try #require(Self.keys[1]), version: 1)
    }

    @Test("the bytes are those of docs/protocol.md")
    func bytes() throws {
        #expect(Self.sample.sign(with: try #require(Self.keys[3]), version: 3) == Self.golden)
        #expect(try verify(Self.golden) == Self.sample)
    }

    @Test("a token is good until its last second, and not in the one after")
    func expiry() throws {
        #expect(try verify(Self.golden, now: 0) == Self.sample)
        #expect(throws: TokenError.expired) { try verify(Self.golden, now: Self.sample.expires) }
        #expect(throws: TokenError.expired) { try verify(Self.golden, now: .max) }
    }

    @Test("tokens of any number of namespaces come back", arguments: [1, 2, 3, 4, 5, 63, 64])
    func roundTrip(count: Int) throws {
        var generator = SeededGenerator(seed: UInt64(count))
        let token = PollToken(
            account: AccountID(using: &generator), device: DeviceID(using: &generator),
            namespaces: (0..<count).map { _ in NamespaceID(using: &generator) }, expires: .max)
        let text = try signed(token)
        #expect(try verify(text) == token)
        #expect(text.utf8.count <= PollToken.maximumLength)
        #expect(text.utf8.allSatisfy { 0x21...0x7E ~= $0 })
    }

    @Test("the longest token is as long as the bound says")
    func bound() throws {
        let namespaces = [NamespaceID](repeating: Self.identifier(1), count: PollToken.maximumNamespaces)
        let token = PollToken(
            account: Self.sample.account, device: Self.sample.device, namespaces: namespaces, expires: 5)
        #expect(try signed(token).utf8.count == PollToken.maximumLength)
    }

    @Test("any character that changes is noticed, whatever it becomes")
    func alterations() {
        let text = Array(Self.golden.utf8)
        for index in text.indices {
            for replacement in Array("A_b~ =\0".utf8) + [0xC3] where replacement != text[index] {
                var altered = text
                altered[index] = replacement
                #expect(throws: TokenError.self, "character \(index)") { try verify(altered) }
            }
        }
    }

    @Test("any bit of the signed bytes that changes makes the token forged or unreadable, never another token")
    func bits() throws {
        let token = Array(Self.golden.utf8)
        for index in token.indices.dropFirst(PollToken.prefix.utf8.count) {
            for bit in 0..<7 {
                var altered = token
                altered[index] ^= 1 << UInt8(bit)
                let error = #expect(throws: TokenError.self) { try verify(altered) }
                #expect(error != .expired)
            }
        }
    }

    @Test("a token that is cut off or goes on is none")
    func lengths() {
        let text = Array(Self.golden.utf8)
        for count in text.indices {
            #expect(throws: TokenError.self, "up to \(count)") { try verify(Array(text[..<count])) }
        }
        for more in ["A", "AAAA", "=", "==", "\r", String(repeating: "A", count: 4_000)] {
            #expect(throws: TokenError.self) { try verify(Self.golden + more) }
        }
    }

    @Test("a signature under another key is forged, one under a key that is gone is of an unknown key")
    func keys() throws {
        let key = try #require(Self.keys[1])
        #expect(throws: TokenError.forged) { try verify(Self.sample.sign(with: key, version: 3)) }
        #expect(throws: TokenError.unknownKey) { try verify(Self.sample.sign(with: key, version: 2)) }
    }

    @Test("a right signature does not make a wrong form right")
    func form() throws {
        let key = try #require(Self.keys[1])
        let parts = [UInt8](bigEndian: UInt32(1)) + [UInt8](repeating: 7, count: 32) + [UInt8](bigEndian: UInt64.max)
        func text(_ version: UInt8, _ named: UInt8, _ held: Int) -> [UInt8] {
            var bytes = [version] + parts + [named] + [UInt8](repeating: 9, count: held * 16)
            bytes += bytes.withUnsafeBytes { key.signature(of: $0) }.bytes
            return Array((PollToken.prefix + base64URL(bytes)).utf8)
        }
        #expect(try verify(text(1, 2, 2)).namespaces.count == 2)
        for (version, named, held) in [(2, 2, 2), (0, 2, 2), (1, 0, 0), (1, 1, 2), (1, 3, 2), (1, 65, 65), (1, 255, 1)]
        {
            #expect(throws: TokenError.malformed, "\(version) \(named) \(held)") {
                try verify(text(UInt8(version), UInt8(named), held))
            }
        }
    }

    /// Written from RFC 4648 alone.
    private func base64URL(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        let bits = bytes.flatMap { byte in (0..<8).map { byte >> (7 - UInt8($0)) & 1 } }
        let digits = stride(from: 0, to: bits.count, by: 6).map { start in
            (0..<6).reduce(0) { $0 * 2 + (start + $1 < bits.count ? Int(bits[start + $1]) : 0) }
        }
        return String(digits.map { alphabet[$0] })
    }

    @Test("stray bits after the last byte are refused: a token has one text")
    func strayBits() {
        // 47 bytes and 32: the last digit holds two bits more than there are.
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        var text = Array(Self.golden.utf8)
        let last = text[text.count - 1]
        let accepted = alphabet.filter { digit in
            text[text.count - 1] = digit
            return (try? verify(text)) != nil
        }
        #expect(accepted == [last])
    }

    @Test("garbage is refused and nothing else happens", arguments: 0..<20 as Range<UInt64>)
    func garbage(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            let count = Int.random(in: 0...1_600, using: &generator)
            let prefix = Bool.random(using: &generator) ? Array(PollToken.prefix.utf8) : []
            var text = prefix + generator.bytes(count)
            if Bool.random(using: &generator) {
                text = text.map { $0 & 0x3F | 0x40 }
            }
            #expect(throws: TokenError.self) { try verify(text) }
        }
    }

    @Test("a device's own token is not taken for a poll token")
    func prefix() {
        for (text, isMeant) in [
            ("cairnpoll_", true), ("cairnpoll_x", true), ("cairnpoll", false), ("cairn_abc", false),
        ] {
            Array(text.utf8).withUnsafeBytes { bytes in #expect(PollToken.isMeant(by: bytes) == isMeant) }
        }
        Array(Self.golden.utf8).withUnsafeBytes { bytes in #expect(PollToken.isMeant(by: bytes)) }
    }
}
