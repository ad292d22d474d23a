import Glibc

/// Reads one request of HTTP/1.1 (RFC 9112) out of the bytes of a connection, however they are cut: a state machine that
/// is handed all bytes of the request so far and goes on where it stopped.
///
/// It is strict, since a lenient reader and a balancer in front of it may see two different requests in the same bytes: lines end
/// in CR LF and are not folded, names are followed by the colon, there is one Host, one Content-Length of digits, and no
/// Transfer-Encoding. What it keeps are positions in the bytes; nothing is allocated.
struct RequestParser {
    /// Most bytes of the request line and the fields together, the empty line included.
    static let maximumHead = 4_096
    /// Most bytes of a body.
    static let maximumBody = 2_048
    /// Most fields.
    static let maximumFields = 64
    /// No request is longer, nor is the part of one that is not refused yet.
    static let maximumLength = maximumHead + maximumBody

    /// How far a request has come.
    enum Step: Hashable {
        case needsMore
        /// It is there; it has ``RequestParser/length`` bytes.
        case complete
        case refused(RequestFault)
    }

    private enum Phase: UInt8 { case requestLine, fields, body }

    private var phase = Phase.requestLine
    /// What the request asks for; right once it is complete.
    private(set) var route = Route.unknown
    /// Whether the sender wants the connection to end with the answer.
    private(set) var closes = false
    var isPost = false
    var seen: FieldsSeen = []
    private var fieldCount: UInt8 = 0
    private var lineStart: UInt16 = 0
    private var searched: UInt16 = 0
    private var bodyStart: UInt16 = 0
    var contentLength: UInt16 = 0
    var tokenStart: UInt16 = 0
    var tokenEnd: UInt16 = 0

    /// How many bytes the complete request has.
    var length: Int { Int(bodyStart) + Int(contentLength) }
    /// Where the body lies in the bytes of the complete request.
    var body: Range<Int> { Int(bodyStart)..<length }
    /// Where the credentials of the scheme Bearer lie; empty when there are none.
    var token: Range<Int> { Int(tokenStart)..<Int(tokenEnd) }

    /// Goes on reading.
    /// - Parameter bytes: all that came since the request began, those of earlier calls included; what follows the request
    ///   is not looked at.
    /// - Returns: How far it came. After ``Step/complete`` or ``Step/refused(_:)`` it is not to be called again.
    mutating func advance(over bytes: UnsafeRawBufferPointer) -> Step {
        while phase != .body {
            let line: UnsafeRawBufferPointer
            switch nextLine(in: bytes) {
            case .success(nil): return .needsMore
            case .success(let found?): line = found
            case .failure(let fault): return .refused(fault)
            }
            let start = Int(lineStart)
            lineStart = searched
            if let fault = take(line, at: start) { return .refused(fault) }
        }
        return bytes.count >= length ? .complete : .needsMore
    }

    /// The next whole line, without its end; nil while that has not come.
    private mutating func nextLine(
        in bytes: UnsafeRawBufferPointer
    ) -> Result<UnsafeRawBufferPointer?, RequestFault> {
        let readable = min(bytes.count, Self.maximumHead)
        // Neither an empty line nor another protocol's greeting begins a request: no need to wait for the end of a line.
        if searched == 0, readable > 0, !CharacterClass.isToken(bytes[0]) { return .failure(.malformed) }
        guard let base = bytes.baseAddress, let end = memchr(base + Int(searched), 0x0A, readable - Int(searched))
        else {
            searched = UInt16(readable)
            return readable == Self.maximumHead ? .failure(.headTooLarge) : .success(nil)
        }
        let feed = UnsafeRawPointer(end) - base
        searched = UInt16(feed + 1)
        guard feed > Int(lineStart), bytes[feed - 1] == 0x0D else { return .failure(.malformed) }
        return .success(UnsafeRawBufferPointer(rebasing: bytes[Int(lineStart)..<feed - 1]))
    }

    private mutating func take(_ line: UnsafeRawBufferPointer, at start: Int) -> RequestFault? {
        if phase == .requestLine {
            phase = .fields
            return takeRequestLine(line)
        }
        guard line.isEmpty else {
            fieldCount += 1
            return fieldCount > Self.maximumFields ? .headTooLarge : takeField(line, at: start)
        }
        phase = .body
        bodyStart = searched
        return headFault()
    }

    private mutating func takeRequestLine(_ line: UnsafeRawBufferPointer) -> RequestFault? {
        guard let first = line.firstIndex(of: 0x20), let last = line.lastIndex(of: 0x20), first < last else {
            return .malformed
        }
        let method = UnsafeRawBufferPointer(rebasing: line[..<first])
        let target = UnsafeRawBufferPointer(rebasing: line[(first + 1)..<last])
        let version = UnsafeRawBufferPointer(rebasing: line[(last + 1)...])
        guard !method.isEmpty, method.allSatisfy(CharacterClass.isToken), target.first == UInt8(ascii: "/"),
            target.allSatisfy(CharacterClass.isTarget)
        else { return .malformed }
        guard Route.is(version, "HTTP/1.1") else {
            let isVersion =
                version.count == 8 && Route.is(UnsafeRawBufferPointer(rebasing: version[..<5]), "HTTP/")
                && CharacterClass.isDigit(version[5]) && version[6] == UInt8(ascii: ".")
                && CharacterClass.isDigit(version[7])
            return isVersion ? .version : .malformed
        }
        isPost = Route.is(method, "POST")
        route = Route(method: method, path: target)
        return nil
    }

    /// Notes that the sender wants the connection to end.
    mutating func close() { closes = true }
}
