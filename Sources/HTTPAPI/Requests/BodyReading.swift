import Blocks
import Files
import HTTPTypes
import Hummingbird
import NIOCore
import WireProtocol

/// The body of a request as a whole, within a bound.
enum BodyReading {
    /// Reads all bytes.
    /// - Throws: ``Problem``: `too_large` as soon as there are more than `limit`, `truncated_body` when the connection ends
    ///   before the body.
    static func bytes(_ request: Request, atMost limit: Int) async throws -> [UInt8] {
        let announced = try length(of: request)
        if let announced, announced > UInt64(limit) { throw tooLarge(limit) }
        var bytes: [UInt8] = []
        if let announced { bytes.reserveCapacity(Int(announced)) }
        for try await part in try UploadedBody(request, atMost: UInt64(limit)) { bytes += part }
        return bytes
    }

    /// Reads a message of the protocol, compressed or not.
    static func message<Message: WireMessage>(
        _ type: Message.Type, _ request: Request, atMost limit: Int, _ services: APIServices
    ) async throws -> Message {
        let bytes = try await bytes(request, atMost: limit)
        let isCompressed = try isCompressed(request)
        guard bytes.count > 64 << 10 || isCompressed else { return try Message(decoding: bytes) }
        // Parsing megabytes would hold up the threads that answer everybody else.
        return try await services.context.workers.perform {
            let plain = isCompressed ? try MessageCompression.decompress(bytes, atMost: limit) : bytes
            return try Message(decoding: plain)
        }
    }

    static func tooLarge(_ limit: some BinaryInteger) -> Problem {
        Problem(code: .tooLarge, title: "Too large", status: 413, detail: "the body has more than \(limit) bytes")
    }

    static func truncated(_ received: UInt64, of announced: UInt64?) -> Problem {
        let whole = announced.map { " of \($0)" } ?? ""
        return Problem(
            code: .truncatedBody, title: "The body ended early", status: 400,
            detail: "the body ended after \(received)\(whole) bytes; nothing of it was used")
    }

    /// The length that the request announces; nil for a body in chunks.
    static func length(of request: Request) throws -> UInt64? {
        guard let field = request.headers[.contentLength] else { return nil }
        guard let length = UInt64(field) else {
            throw Problem(
                code: .invalidRequest, title: "Invalid request", status: 400, detail: "Content-Length is not a number")
        }
        return length
    }

    private static func isCompressed(_ request: Request) throws -> Bool {
        switch request.headers[.contentEncoding]?.lowercased() {
        case nil, "identity"?: return false
        case "zstd"?: return true
        case let other?:
            throw Problem(
                code: .invalidRequest, title: "Invalid request", status: 415,
                detail: "the body is encoded as '\(other)'; zstd and identity are understood")
        }
    }
}

/// The body of a request as its parts arrive, each as bytes; it ends with an error when the body is cut off or too long.
struct UploadedBody: AsyncSequence {
    typealias Element = [UInt8]
    typealias Failure = any Error

    private let body: RequestBody
    private let announced: UInt64?
    private let limit: UInt64

    init(_ request: Request, atMost limit: UInt64) throws {
        announced = try BodyReading.length(of: request)
        if let announced, announced > limit { throw BodyReading.tooLarge(limit) }
        body = request.body
        self.limit = limit
    }

    func makeAsyncIterator() -> Iterator {
        Iterator(parts: body.makeAsyncIterator(), announced: announced, limit: limit)
    }

    struct Iterator: AsyncIteratorProtocol {
        fileprivate var parts: RequestBody.AsyncIterator
        fileprivate let announced: UInt64?
        fileprivate let limit: UInt64
        private var received: UInt64 = 0

        fileprivate init(parts: RequestBody.AsyncIterator, announced: UInt64?, limit: UInt64) {
            self.parts = parts
            self.announced = announced
            self.limit = limit
        }

        @concurrent mutating func next() async throws -> [UInt8]? {
            let part: ByteBuffer?
            do {
                part = try await parts.next()
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                // The only other fault of a body is that its connection or its framing breaks off.
                throw BodyReading.truncated(received, of: announced)
            }
            guard var part else {
                if let announced, received < announced { throw BodyReading.truncated(received, of: announced) }
                return nil
            }
            received += UInt64(part.readableBytes)
            guard received <= limit else { throw BodyReading.tooLarge(limit) }
            return part.readBytes(length: part.readableBytes)
        }
    }
}
