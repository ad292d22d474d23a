import Testing

@testable import NotificationReactor

/// Requests that are as long as they may be, and one byte longer.
@Suite struct RequestBoundsTests {
    private func head(of length: Int, body: Int = 0) -> String {
        func text(_ filler: String) -> String {
            request("POST /v1/poll HTTP/1.1", "Host: a", "Content-Length: \(body)", "X: \(filler)")
        }
        return text(String(repeating: "x", count: length - text("").utf8.count))
    }

    @Test("a head may have 4,096 bytes and not one more", arguments: [4_095, 4_096, 4_097, 4_098, 8_000])
    func head(length: Int) {
        let text = head(of: length)
        #expect(text.utf8.count == length)
        let expected: ParsedRequest =
            length <= RequestParser.maximumHead
            ? .whole(.poll, length: length, token: [], body: [], closes: false) : .refused(.headTooLarge)
        #expect(ParsedRequest(text) == expected)
        for cut in [1, 4_000, 4_094, 4_095] { #expect(ParsedRequest(text, cuts: [cut]) == expected, "\(cut)") }
    }

    @Test("a line that does not end is refused once it is longer than a head may be, and not kept for ever")
    func endless() {
        let text = "GET /" + String(repeating: "a", count: 4_090)
        #expect(ParsedRequest(text) == .partial)
        #expect(ParsedRequest(text + "a") == .refused(.headTooLarge))
    }

    @Test("there may be 64 fields and not one more", arguments: [63, 64, 65])
    func fields(count: Int) {
        let fields = (1..<count).map { "X\($0): y\r\n" }.joined()
        let text = "GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n"
        let expected: ParsedRequest =
            count <= RequestParser.maximumFields
            ? .whole(.unknown, length: text.utf8.count, token: [], body: [], closes: false) : .refused(.headTooLarge)
        #expect(ParsedRequest(text) == expected)
    }

    @Test("the longest request takes exactly the bytes that a buffer has")
    func longest() {
        let text = head(of: 4_096, body: 2_048) + String(repeating: "b", count: 2_048)
        #expect(text.utf8.count == RequestParser.maximumLength)
        guard case .whole(.poll, RequestParser.maximumLength, [], let body, false) = ParsedRequest(text) else {
            Issue.record("refused")
            return
        }
        #expect(body.count == RequestParser.maximumBody)
        #expect(ParsedRequest(String(text.dropLast())) == .partial)
    }

    @Test("a request that is not refused yet never has more bytes than a buffer")
    func pending() {
        for text in [head(of: 4_096), "A", "POST /v1/poll HTTP/1.1\r\n"] {
            let endless = Array((text + String(repeating: "z", count: 10_000)).utf8)
            #expect(ParsedRequest(Array(endless[..<RequestParser.maximumLength])) != .partial, "\(text.prefix(20))")
        }
    }

    @Test("the state of a parser is small, for it is kept with half requests")
    func size() {
        #expect(MemoryLayout<RequestParser>.size <= 24)
    }
}
