import TestSupport
import Testing

@testable import NotificationReactor

/// 100,000 inputs near and far from requests: the parser and a second grammar have to agree on each, however it is cut.
@Suite struct RequestFuzzTests {
    private static let seeds = 0..<40 as Range<UInt64>
    private static let inputsOfSeed = 2_500

    private static let starts = [
        request(
            "POST /v1/poll HTTP/1.1", "Host: a", "Authorization: Bearer cairnpoll_AQAA", "Content-Length: 4",
            body: "\u{1}\u{2}\u{3}\u{4}"),
        request("GET /health HTTP/1.1", "Host: a"),
        request("GET /metrics HTTP/1.1", "Host: a", "Connection: keep-alive, close"),
        request("PUT /v1/poll HTTP/1.1", "Host: a", "Content-Length: 3", "Connection: x", body: "abc"),
        request(
            "POST /v1/poll HTTP/1.1", "Accept: */*", "Content-Length: 0", "host: b", "Content-Encoding: identity"),
    ].map { Array($0.utf8) }

    /// Pieces that matter to a grammar of requests.
    private static let pieces = [
        "\r\n", "\n", "\r", " ", "\t", ":", "\0", "\u{7F}", "é", "\r\n\r\n", "Host: a\r\n", "Content-Length: 1\r\n",
        "Transfer-Encoding: chunked\r\n", "Connection: close\r\n", "Expect: 100-continue\r\n", "HTTP/1.0", "0", "9",
        "#",
        "/", "Authorization: Bearer x\r\n", "Content-Encoding: zstd\r\n", "GET /health HTTP/1.1\r\n", ",",
    ].map { Array($0.utf8) }

    private func input(_ generator: inout SeededGenerator) -> [UInt8] {
        if Int.random(in: 0..<20, using: &generator) == 0 {
            return generator.bytes(Int.random(in: 0...300, using: &generator))
        }
        var bytes = Self.starts[Int.random(in: Self.starts.indices, using: &generator)]
        for _ in 0..<Int.random(in: 0...3, using: &generator) { mutate(&bytes, &generator) }
        if Bool.random(using: &generator) {
            bytes += Self.starts[Int.random(in: Self.starts.indices, using: &generator)]
        }
        return bytes
    }

    private func mutate(_ bytes: inout [UInt8], _ generator: inout SeededGenerator) {
        let index = Int.random(in: 0...bytes.count, using: &generator)
        switch Int.random(in: 0..<6, using: &generator) {
        case 0 where index < bytes.count: bytes[index] ^= 1 << UInt8.random(in: 0...7, using: &generator)
        case 1 where index < bytes.count: bytes.remove(at: index)
        case 2: bytes.insert(UInt8(truncatingIfNeeded: generator.next()), at: index)
        case 3: bytes.removeLast(bytes.count - index)
        case 4 where index < bytes.count:
            let end = Int.random(in: index...min(bytes.count, index + 30), using: &generator)
            bytes.insert(contentsOf: bytes[index..<end], at: index)
        default:
            bytes.insert(
                contentsOf: Self.pieces[Int.random(in: Self.pieces.indices, using: &generator)], at: index)
        }
    }

    @Test(
        "the parser accepts what the grammar accepts, says of it the same, and does not care for cuts", arguments: seeds
    )
    func agreement(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var accepted = 0
        for number in 0..<Self.inputsOfSeed {
            let bytes = input(&generator)
            let found = ParsedRequest(bytes)
            let cuts = (0..<3).map { _ in Int.random(in: 0...bytes.count, using: &generator) }.sorted()
            let cut = ParsedRequest(bytes, cuts: cuts)
            let expected = ReferenceGrammar.accepted(bytes)
            var isWhole = false
            if case .whole = found { isWhole = true }
            guard found == cut, isWhole == (expected != nil), expected == nil || found == expected else {
                Issue.record(
                    "input \(number), cut at \(cuts): \(bytes) is \(found), \(cut), \(String(describing: expected))")
                return
            }
            accepted += isWhole ? 1 : 0
        }
        // Else the inputs were not near enough to requests, or not far enough.
        #expect(Self.inputsOfSeed / 10..<Self.inputsOfSeed * 9 / 10 ~= accepted)
    }
}
