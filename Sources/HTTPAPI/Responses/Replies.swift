import Blocks
import Files
import Foundation
import HTTPTypes
import Hummingbird
import WireProtocol

/// Answers in the forms of the protocol.
enum Replies {
    /// A message, compressed when the client takes that and it is worth it. One that may be `large` is made on the
    /// workers; a small one is not, so that it does not wait behind the blocks of others.
    static func message(
        _ message: some WireMessage, to request: Request, _ services: APIServices, large: Bool = false
    ) async throws -> Response {
        let accepts = accepts(request)
        let (bytes, isCompressed) =
            large
            ? try await services.context.workers.perform { try encode(message, compress: accepts) }
            : try encode(message, compress: accepts)
        var headers: HTTPFields = [.contentType: WireLimits.mediaType]
        if isCompressed { headers[.contentEncoding] = "zstd" }
        return Response(
            status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// Blocks, as a batch. They are all read before the answer begins, so that damage is told as such. The share is
    /// held until all of it is sent.
    static func blocks(
        _ found: FoundBlocks, _ share: MemoryShare, to request: Request, _ services: APIServices
    ) async throws -> Response {
        guard found.size > compressedUpTo else {
            return try await message(BlockBatch(blocks: found.all()), to: request, services, large: true)
        }
        var parts = [ByteBuffer(bytes: BlockBatch.head(count: found.count))]
        try await found.forEachPortion { parts.append(ByteBuffer(bytes: BlockBatch.part($0))) }
        let answer = parts
        let length = answer.reduce(0) { $0 + $1.readableBytes }
        let body = ResponseBody(contentLength: length) { writer in
            defer { withExtendedLifetime(share) {} }
            for part in answer { try await writer.write(part) }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: WireLimits.mediaType], body: body)
    }

    private static func encode(
        _ message: some WireMessage, compress: Bool
    ) throws -> (bytes: [UInt8], isCompressed: Bool) {
        let bytes = try message.encoded()
        guard compress, (WireLimits.compressedFrom...compressedUpTo).contains(bytes.count),
            let smaller = MessageCompression.compress(bytes)
        else { return (bytes, false) }
        return (smaller, true)
    }

    /// What is longer is blocks, which are compressed one by one already.
    private static let compressedUpTo = 1 << 20

    /// A value as JSON.
    static func json(_ value: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let body = try encoder.encode(value)
        return Response(
            status: status, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }

    /// Nothing but success.
    static let empty = Response(status: .noContent)

    private static func accepts(_ request: Request) -> Bool {
        guard let field = request.headers[.acceptEncoding] else { return false }
        return field.split(separator: ",").contains { part in
            let words = part.split(separator: ";").map { $0.filter { $0 != " " }.lowercased() }
            return words.first == "zstd" && !words.dropFirst().contains("q=0")
        }
    }
}
