import Blocks
import Model
import Testing
import WireProtocol

@Suite("Upload tickets")
struct UploadTicketTests {
    /// The ticket keys of the key ring in Tests/BlocksTests/Golden, by another implementation.
    private static let keys: [UInt32: TokenKey] = [
        1: key("296014da525a2431106519e174cd826ba98509984bada7b8af4e892b727e1961"),
        3: key("706862486df4aa34faaa895de54b52b6533d32b87962143478dbb686c844458c"),
    ]

    /// Made by the same other implementation from the parts of ``sample``.
    private static let golden =
        "cairnupload_AQAAAAMQERITFBUWFxgZGhscHR4fICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj9AQUJDREVGR0hJSktMTU5PAAAAAG"
        + "lXN_0msoIVbO2pRnUSxGPlhiosiS6D1eKy2tGIo76JlGjtFQ"

    private static let sample = UploadTicket(
        account: identifier(16), device: identifier(32), home: identifier(48), upload: identifier(64),
        expires: 1_767_323_645)

    private static func key(_ hex: String) -> TokenKey {
        [UInt8](hex: hex).unsafelyUnwrapped.withUnsafeBytes { TokenKey(bytes: $0) }
    }

    private static func identifier<Kind>(_ first: UInt8) -> Identifier<Kind> {
        Identifier(bytes: Array(first..<first + 16)).unsafelyUnwrapped
    }

    private func verify(
        _ text: some StringProtocol, keys: [UInt32: TokenKey] = Self.keys, now: UInt64 = 1_767_323_644
    ) throws -> UploadTicket {
        try Array(text.utf8).withUnsafeBytes { try UploadTicket.verify($0, keys: keys, now: now) }
    }

    @Test("the bytes are those of docs/protocol.md")
    func bytes() throws {
        #expect(Self.sample.sign(with: try #require(Self.keys[3]), version: 3) == Self.golden)
        #expect(try verify(Self.golden) == Self.sample)
        #expect(Self.golden.utf8.count == UploadTicket.length)
    }

    @Test("a ticket is good until its last second, and not in the one after")
    func expiry() throws {
        #expect(try verify(Self.golden, now: 0) == Self.sample)
        #expect(throws: TokenError.expired) { try verify(Self.golden, now: Self.sample.expires) }
    }

    @Test("a key that is not there, and one of another kind, are told apart")
    func keys() throws {
        #expect(throws: TokenError.unknownKey) { try verify(Self.golden, keys: [1: #require(Self.keys[1])]) }
        #expect(throws: TokenError.forged) { try verify(Self.golden, keys: [3: #require(Self.keys[1])]) }
    }

    @Test("any character that changes is noticed, and any that is missing")
    func alterations() {
        let text = Array(Self.golden.utf8)
        for place in text.indices {
            var changed = text
            changed[place] = changed[place] == 0x41 ? 0x42 : 0x41
            #expect(throws: TokenError.self, "\(place)") { try verify(String(decoding: changed, as: UTF8.self)) }
            #expect(throws: TokenError.malformed, "\(place)") { try verify(Self.golden.prefix(place)) }
        }
        #expect(throws: TokenError.malformed) { try verify(Self.golden + "A") }
    }

    @Test("a poll token is no ticket, even under the same key")
    func otherKind() throws {
        let token = PollToken(
            account: Self.sample.account, device: Self.sample.device, namespaces: [Self.sample.home], expires: .max)
        let text = token.sign(with: try #require(Self.keys[3]), version: 3)
        #expect(throws: TokenError.malformed) { try verify(text) }
        #expect(throws: TokenError.malformed) {
            try verify(UploadTicket.prefix + text.dropFirst(PollToken.prefix.utf8.count))
        }
    }
}
