import Files
import Hummingbird
import WireProtocol

/// How much memory a request takes while it is served, as a share of what there is for all of them.
enum RequestMemory {
    /// Bodies up to this length are served without a share: questions do not wait behind blocks.
    private static let small = 16 << 10
    /// A compressed message is at most this many times its length, as far as is known before it is read.
    private static let ratio = 8

    /// Serves a request that carries blocks or pages once there is memory for it.
    /// - Throws: `FilesError` `unavailable` when too many requests wait, ``Problem`` `too_large` before anything is read,
    ///   and what `serve` throws.
    static func held<Answer>(
        for request: Request, _ services: APIServices, _ serve: () async throws -> Answer
    ) async throws -> Answer {
        let limit = services.limits.message
        let length = try BodyReading.length(of: request)
        if let length, length > UInt64(limit) { throw BodyReading.tooLarge(limit) }
        let bytes = length.map(Int.init) ?? limit
        guard bytes > small else { return try await serve() }
        let isEncoded = request.headers[.contentEncoding] != nil
        let plain = isEncoded ? min(limit, bytes * ratio) : bytes
        // The message, and either the body that it was read from or the sealed blocks that are made of it.
        let share = try await services.context.memory.take(plain + max(plain, bytes))
        defer { withExtendedLifetime(share) {} }
        return try await serve()
    }

    /// The memory of an answer with blocks: all of it as it is sent, and a portion as it is read and opened.
    static func ofAnswer(_ blocks: FoundBlocks, _ services: APIServices) -> Int {
        blocks.size + 3 * min(blocks.size, services.context.limits.portion)
    }
}
