import Model
import Notifications

/// Writes answers into one piece of memory, each over the one before. The body is written first; then the head goes right
/// before it, with its length.
struct AnswerWriter: ~Copyable {
    /// Most bytes of a head, and most of a body: the longest poll has fewer cursors than bytes, and a cursor is answered by
    /// at most twice its bytes.
    private static let headRoom = 512
    private static let bodyRoom = 8_192

    private let memory: UnsafeMutableRawBufferPointer
    private var start = headRoom
    private var end = headRoom

    /// Makes a writer without an answer.
    init() {
        memory = .allocate(byteCount: Self.headRoom + Self.bodyRoom, alignment: 64)
    }

    deinit { memory.deallocate() }

    /// The answer that was written last.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[start..<end]) }

    /// The answer to a poll: a ``PollResponse``.
    mutating func moved(_ moved: [MovedNamespace], closes: Bool) {
        end = Self.headRoom
        append(number: UInt64(moved.count))
        for moved in moved {
            append(byte: UInt8(16 + Self.length(of: moved.revision.number) + 1))
            append(bigEndian: moved.namespace.high)
            append(bigEndian: moved.namespace.low)
            append(number: moved.revision.number)
            append(byte: moved.pending ? 1 : 0)
        }
        begin("200 OK", type: "application/vnd.cairn.v1", closes: closes)
    }

    /// The answer that refuses a request.
    mutating func problem(_ problem: ReactorProblem, closes: Bool) {
        end = Self.headRoom
        append("{\"code\":\"")
        append(problem.code)
        append("\",\"detail\":\"")
        append(problem.detail)
        append("\",")
        if let seconds = problem.retryAfter {
            append("\"retry_after\":")
            append(decimal: UInt64(seconds))
            append(",")
        }
        append("\"status\":")
        append(decimal: problem.number)
        append(",\"title\":\"")
        append(problem.title)
        append("\",\"type\":\"about:blank\"}")
        begin(
            problem.status, type: "application/problem+json", field: problem.field, retryAfter: problem.retryAfter,
            closes: closes)
    }

    /// An answer of plain text, cut off where there is no more room.
    mutating func text(_ text: String, closes: Bool) {
        end = Self.headRoom
        for byte in text.utf8.prefix(Self.bodyRoom) { append(byte: byte) }
        begin("200 OK", type: "text/plain; charset=utf-8", closes: closes)
    }

    // MARK: The head

    private mutating func begin(
        _ status: StaticString, type: StaticString, field: StaticString = "", retryAfter: UInt32? = nil, closes: Bool
    ) {
        let bodyEnd = end
        // Written from the very beginning, then moved to where the body begins.
        end = 0
        append("HTTP/1.1 ")
        append(status)
        append("\r\nContent-Type: ")
        append(type)
        append("\r\nContent-Length: ")
        append(decimal: UInt64(bodyEnd - Self.headRoom))
        append("\r\n")
        append(field)
        if let retryAfter {
            append("Retry-After: ")
            append(decimal: UInt64(retryAfter))
            append("\r\n")
        }
        append(closes ? "Connection: close\r\n\r\n" : "\r\n")
        start = Self.headRoom - end
        let base = memory.baseAddress.unsafelyUnwrapped
        (base + start).copyMemory(from: base, byteCount: end)
        end = bodyEnd
    }

    // MARK: Pieces

    private mutating func append(byte: UInt8) {
        memory[end] = byte
        end += 1
    }

    private mutating func append(_ text: StaticString) {
        let count = text.utf8CodeUnitCount
        (memory.baseAddress.unsafelyUnwrapped + end).copyMemory(from: text.utf8Start, byteCount: count)
        end += count
    }

    private mutating func append(bigEndian number: UInt64) {
        memory.storeBytes(of: number.bigEndian, toByteOffset: end, as: UInt64.self)
        end += 8
    }

    /// As ``WireWriter/number(_:)`` does.
    private mutating func append(number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            append(byte: UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(byte: UInt8(rest))
    }

    private mutating func append(decimal number: UInt64) {
        var divisor: UInt64 = 1
        while number / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            append(byte: 0x30 + UInt8(number / divisor % 10))
            divisor /= 10
        }
    }

    private static func length(of number: UInt64) -> Int { max(1, (64 - number.leadingZeroBitCount + 6) / 7) }
}
