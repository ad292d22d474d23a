@testable import NotificationReactor

/// What a parser makes of bytes.
enum ParsedRequest: Hashable {
    /// The request is not whole.
    case partial
    case whole(Route, length: Int, token: [UInt8], body: [UInt8], closes: Bool)
    case refused(RequestFault)

    /// Hands bytes to a parser piece by piece: after the first `cuts[0]` bytes, after the first `cuts[1]`, …, and all.
    init(_ bytes: [UInt8], cuts: [Int] = []) {
        var parser = RequestParser()
        for end in cuts + [bytes.count] {
            // Each piece lies in memory of its own size: a look past its end would be noticed.
            let piece = Array(bytes[..<end])
            let step = piece.withUnsafeBytes { parser.advance(over: $0) }
            switch step {
            case .needsMore: continue
            case .refused(let fault): self = .refused(fault)
            case .complete:
                self = .whole(
                    parser.route, length: parser.length, token: Array(piece[parser.token]),
                    body: Array(piece[parser.body]), closes: parser.closes)
            }
            return
        }
        self = .partial
    }

    init(_ text: String, cuts: [Int] = []) { self.init(Array(text.utf8), cuts: cuts) }
}

/// The text of a request with these lines, each of which ends in CR LF, and this body.
func request(_ lines: String..., body: String = "") -> String {
    lines.map { $0 + "\r\n" }.joined() + "\r\n" + body
}
