import Model
import Testing
import WireProtocol

@testable import Files
@testable import HTTPAPI

@Suite("Reading what requests say")
struct RequestParsingTests {
    @Test(
        "byte ranges",
        arguments: [
            ("bytes=0-0", 0..<1), ("bytes=0-", 0..<10), ("bytes=5-7", 5..<8), ("bytes=5-500", 5..<10),
            ("bytes=-4", 6..<10),
            ("bytes=-40", 0..<10), ("BYTES= 2 - 3 ", 2..<4), ("bytes=9-18446744073709551615", 9..<10),
        ] as [(String, Range<UInt64>)])
    func ranges(field: String, expected: Range<UInt64>) throws {
        #expect(try ByteRange.parse(field, size: 10) == expected)
    }

    @Test(
        "what is no range of bytes is passed over",
        arguments: [
            "items=1-2", "bytes=", "bytes=-", "bytes=a-b", "bytes=7-5", "bytes=1-2-3", "bytes=1-2,4-5", "bytes=--5",
        ])
    func noRanges(field: String) throws {
        #expect(try ByteRange.parse(field, size: 10) == nil)
    }

    @Test(
        "a range without any byte of the file can't be satisfied", arguments: ["bytes=10-", "bytes=10-20", "bytes=-0"])
    func outside(field: String) {
        #expect(throws: UnsatisfiableRange.self) { try ByteRange.parse(field, size: 10) }
    }

    @Test("an empty file has no range at all", arguments: ["bytes=0-", "bytes=-1", "bytes=0-0"])
    func empty(field: String) {
        #expect(throws: UnsatisfiableRange.self) { try ByteRange.parse(field, size: 0) }
    }

    @Test("entity tags are contents, and come back as they went")
    func entityTags() {
        let content = Content.empty.id
        let text = EntityTag.text(content)
        #expect(text == "\"0-e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"")
        #expect(EntityTag.match(text) == .contents([content]))
        #expect(EntityTag.match("W/\(text)") == .contents([content]))
        #expect(EntityTag.match(" \"other\" , \(text)") == .contents([content]))
        #expect(EntityTag.match("*") == .any)
        #expect(EntityTag.match(nil) == nil)
        for bad in ["\"x\"", "\"0-00\"", "0-e3", "\"300-\(Content.empty.id.digest)\"", ""] {
            #expect(EntityTag.match(bad) == .contents([]), "\(bad)")
        }
    }

    @Test(
        "moments as text",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
            (951_782_400_123_000_000, "2000-02-29T00:00:00.123Z", "Tue, 29 Feb 2000 00:00:00 GMT"),
            (1_767_323_045_000_000_000, "2026-01-02T03:04:05.000Z", "Fri, 02 Jan 2026 03:04:05 GMT"),
            (-1, "1969-12-31T23:59:59.999Z", "Wed, 31 Dec 1969 23:59:59 GMT"),
            (4_102_444_799_000_000_000, "2099-12-31T23:59:59.000Z", "Thu, 31 Dec 2099 23:59:59 GMT"),
        ] as [(Int64, String, String)])
    func dates(nanoseconds: Int64, iso: String, http: String) {
        #expect(Dates.iso8601(Timestamp(nanoseconds: nanoseconds)) == iso)
        #expect(Dates.http(Timestamp(nanoseconds: nanoseconds)) == http)
    }

    @Test(
        "seconds as text",
        arguments: [
            ("0", 0), ("1700000000", 1_700_000_000_000_000_000), ("1.5", 1_500_000_000),
            ("-1.000000001", -1_000_000_001),
            ("0.123456789", 123_456_789), ("", nil), ("x", nil), ("1.", nil), (".5", nil), ("1.1234567891", nil),
            ("1e9", nil),
            ("99999999999", nil), ("--1", nil), ("1.-5", nil),
        ] as [(String, Int64?)])
    func seconds(text: String, nanoseconds: Int64?) {
        #expect(Dates.seconds(text)?.nanoseconds == nanoseconds)
    }

    @Test("paths come back as they went, whatever bytes are in their names")
    func paths() throws {
        let path = RemotePath([try NodeName("a b"), try NodeName(bytes: [0xFF, 0x25, 0x3F]), try NodeName("ä")])
        #expect(RequestPath.encode(path) == "/a%20b/%FF%25%3F/%C3%A4")
        #expect(try RequestPath.decode(RequestPath.encode(path)) == path)
        #expect(try RequestPath.decode("/") == .root)
        #expect(try RequestPath.decode("") == .root)
        #expect(try RequestPath.decode("/a/") == RemotePath("/a"))
        #expect(throws: Problem.self) { try RequestPath.decode("/a%2") }
        #expect(throws: NodeNameError.self) { try RequestPath.decode("/a/%2E%2E/b") }
        #expect(throws: NodeNameError.self) { try RequestPath.decode("/a%2Fb") }
    }
}
