import Testing

@testable import NotificationReactor

@Suite struct RequestParserTests {
    private static let poll = request(
        "POST /v1/poll HTTP/1.1", "Host: cairn.example:8443", "User-Agent: cairn/1",
        "Authorization: Bearer cairnpoll_abc",
        "Content-Type: application/vnd.cairn.v1", "Content-Length: 5", body: "hello")

    private static let whole = ParsedRequest.whole(
        .poll, length: poll.utf8.count, token: Array("cairnpoll_abc".utf8), body: Array("hello".utf8), closes: false)

    @Test("a poll is read")
    func whole() {
        #expect(ParsedRequest(Self.poll) == Self.whole)
    }

    @Test("wherever a request is cut in two, it is read the same")
    func cut() {
        for cut in 0...Self.poll.utf8.count { #expect(ParsedRequest(Self.poll, cuts: [cut]) == Self.whole, "\(cut)") }
    }

    @Test("byte by byte a request is read the same, and is not whole before its last byte")
    func bytes() {
        let bytes = Array(Self.poll.utf8)
        #expect(ParsedRequest(Self.poll, cuts: Array(0..<bytes.count)) == Self.whole)
        for count in bytes.indices { #expect(ParsedRequest(Array(bytes[..<count])) == .partial, "\(count)") }
    }

    @Test("what follows a request is not looked at", arguments: ["", "\0", "POST", poll])
    func pipelined(next: String) {
        #expect(ParsedRequest(Self.poll + next) == Self.whole)
    }

    @Test(
        "methods and paths have their routes",
        arguments: [
            ("GET /health", .health), ("GET /ready", .ready), ("GET /metrics", .metrics), ("GET /v1/poll", .onlyPost),
            ("PUT /v1/poll", .onlyPost), ("DELETE /health", .onlyGet), ("get /health", .onlyGet),
            ("HEAD /ready", .onlyGet), ("OPTIONS /metrics", .onlyGet), ("GET /", .unknown), ("GET /health/", .unknown),
            ("GET /health?", .unknown), ("GET /HEALTH", .unknown), ("GET //health", .unknown),
            ("GET /v1/polls", .unknown), ("GET /%68ealth", .unknown), ("X!#$%&'*+-.^_`|~9 /", .unknown),
        ] as [(String, Route)])
    func routes(start: String, route: Route) {
        let text = request("\(start) HTTP/1.1", "Host: a")
        #expect(
            ParsedRequest(text) == .whole(route, length: text.utf8.count, token: [], body: [], closes: false))
    }

    private static let faults: [(RequestFault, String)] = [
        (.malformed, "\r\n" + poll), (.malformed, "\n"), (.malformed, " GET / HTTP/1.1"),
        (.malformed, "\u{16}\u{3}\u{1}"),
        (.malformed, request("GET  / HTTP/1.1", "Host: a")), (.malformed, request("GET / HTTP/1.1 ", "Host: a")),
        (.malformed, request("GET /", "Host: a")), (.malformed, request("GET", "Host: a")),
        (.malformed, request("GET\t/\tHTTP/1.1", "Host: a")), (.malformed, request("G(T / HTTP/1.1", "Host: a")),
        (.malformed, request("GET * HTTP/1.1", "Host: a")), (.malformed, request("GET http://a/ HTTP/1.1", "Host: a")),
        (.malformed, request("GET /a#b HTTP/1.1", "Host: a")), (.malformed, request("GET /a b HTTP/1.1", "Host: a")),
        (.malformed, request("GET /\u{7F} HTTP/1.1", "Host: a")), (.malformed, request("GET /é HTTP/1.1", "Host: a")),
        (.malformed, request("GET / http/1.1", "Host: a")), (.malformed, request("GET / HTTP/1.11", "Host: a")),
        (.malformed, request("GET / HTTP/11", "Host: a")), (.malformed, request("GET / HTTX/1.1", "Host: a")),
        (.version, request("GET / HTTP/1.0", "Host: a")), (.version, request("GET / HTTP/2.0", "Host: a")),
        (.version, request("PRI /* HTTP/2.0")),
        (.malformed, "GET / HTTP/1.1\nHost: a\r\n\r\n"), (.malformed, "GET / HTTP/1.1\r\nHost: a\n\r\n"),
        (.malformed, "GET / HTTP/1.1\r\nHost: a\r\n\n"), (.malformed, "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n"),
        (.malformed, "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n"), (.malformed, "GET / HTTP/1.1\r\nHost: a\u{0}\r\n\r\n"),
        (.malformed, request("GET / HTTP/1.1")), (.malformed, request("GET / HTTP/1.1", "Host: a", "Host: a")),
        (.malformed, request("GET / HTTP/1.1", "Host : a")), (.malformed, request("GET / HTTP/1.1", " Host: a")),
        (.malformed, request("GET / HTTP/1.1", "Host: a", "\tfolded")),
        (.malformed, request("GET / HTTP/1.1", "Host: a", "X: 1", " 2")),
        (.malformed, request("GET / HTTP/1.1", "Host: a", "no colon")),
        (.malformed, request("GET / HTTP/1.1", "Host: a", ": no name")),
        (.malformed, request("GET / HTTP/1.1", "Host: a", "na me: x")),
        (.malformed, request("GET / HTTP/1.1", "Host: a", "X: \u{1}")),
        (.malformed, request("GET / HTTP/1.1", "Host: a", "X: \u{7F}")),
        (.malformed, request("GET /health HTTP/1.1", "Host: a", "Content-Length: 1", body: "x")),
        (.lengthRequired, request("POST /v1/poll HTTP/1.1", "Host: a")),
        (.lengthRequired, request("POST /v1/poll HTTP/1.1", "Host: a", "Transfer-Encoding: chunked")),
        (.lengthRequired, request("GET /health HTTP/1.1", "Host: a", "TRANSFER-ENCODING: identity")),
        (.malformed, request("POST / HTTP/1.1", "Host: a", "Content-Length: 1", "Transfer-Encoding: x", body: "x")),
        (.malformed, request("POST / HTTP/1.1", "Host: a", "Content-Length: 1", "content-length: 1", body: "x")),
        (.malformed, request("POST / HTTP/1.1", "Host: a", "Content-Length:")),
        (.malformed, request("POST / HTTP/1.1", "Host: a", "Content-Length: +1", body: "x")),
        (.malformed, request("POST / HTTP/1.1", "Host: a", "Content-Length: -1")),
        (.malformed, request("POST / HTTP/1.1", "Host: a", "Content-Length: 1, 1", body: "x")),
        (.malformed, request("POST / HTTP/1.1", "Host: a", "Content-Length: 0x1", body: "x")),
        (.bodyTooLarge, request("POST / HTTP/1.1", "Host: a", "Content-Length: 2049")),
        (.bodyTooLarge, request("POST / HTTP/1.1", "Host: a", "Content-Length: 18446744073709551617")),
        (.expectation, request("POST / HTTP/1.1", "Host: a", "Content-Length: 1", "Expect: 100-continue")),
        (.encoding, request("POST / HTTP/1.1", "Host: a", "Content-Length: 1", "Content-Encoding: zstd")),
        (.malformed, request("GET / HTTP/1.1", "Host: a", "Authorization: Bearer a", "Authorization: Bearer a")),
    ]

    @Test("what is no request, or could be read in two ways, is refused, however it is cut", arguments: faults.indices)
    func refused(index: Int) {
        let (fault, text) = Self.faults[index]
        let count = text.utf8.count
        #expect(ParsedRequest(text) == .refused(fault), "\(text.debugDescription)")
        #expect(ParsedRequest(text, cuts: Array(0..<count)) == .refused(fault), "\(text.debugDescription)")
    }

    @Test("fields are read in either case, with blanks around their values")
    func leniency() {
        let text = request(
            "POST /v1/poll HTTP/1.1", "hOST:a", "content-LENGTH: \t 003 \t ", "AUTHORIZATION:bEARER   tok  ",
            "Content-Encoding: Identity", "X-é: no", body: "abc")
        #expect(ParsedRequest(text) == .refused(.malformed))
        let right = text.replacing("X-é", with: "X-e: é")
        #expect(
            ParsedRequest(right)
                == .whole(
                    .poll, length: right.utf8.count, token: Array("tok".utf8), body: Array("abc".utf8), closes: false))
    }

    @Test(
        "credentials that are not of the scheme Bearer are none",
        arguments: [
            ("Bearer a", "a"), ("bearer a b", "a b"), ("Bearer", ""), ("Bearer ", ""), ("Bearera", ""), ("Basic a", ""),
            ("", ""), ("Bearer\ta", ""),
        ])
    func credentials(value: String, token: String) {
        let text = request("GET / HTTP/1.1", "Host: a", "Authorization: \(value)")
        let expected = ParsedRequest.whole(
            .unknown, length: text.utf8.count, token: Array(token.utf8), body: [], closes: false)
        #expect(ParsedRequest(text) == expected)
    }

    @Test(
        "the connection closes when one of the options says so",
        arguments: [
            (["close"], true), (["Close"], true), (["keep-alive, close"], true),
            (["keep-alive", "x ,\tCLOSE\t,y"], true),
            (["keep-alive"], false), ([""], false), ([",,"], false), (["closed"], false), (["not close"], false),
        ])
    func closes(values: [String], closes: Bool) {
        let text = "GET / HTTP/1.1\r\nHost: a\r\n" + values.map { "Connection: \($0)\r\n" }.joined() + "\r\n"
        #expect(
            ParsedRequest(text) == .whole(.unknown, length: text.utf8.count, token: [], body: [], closes: closes))
    }
}
