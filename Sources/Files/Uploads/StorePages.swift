import Blocks
import Metadata
public import Model

/// Takes a window of the pages of a large file whose upload was announced, and tells which of its blocks to send.
public struct StorePages: Sendable {
    private let context: FilesContext

    /// Makes the use case.
    public init(_ context: FilesContext) { self.context = context }

    /// Keeps the pages and answers with the blocks that they name and the account lacks, in order, each once.
    /// - Throws: ``FilesError``: `notFound`, `conflict` for an upload that has ended, `invalidPage`.
    public func callAsFunction(
        _ pages: [[UInt8]], of upload: UploadID, by principal: Principal
    ) async throws -> [BlockID] {
        let parsed = try await context.workers.map(pages) { _, bytes in try RecipePage(decodingUntrusted: bytes) }
        return try await context.database.write { connection in
            guard let record = try UploadQueries(connection).byID(upload) else {
                throw FilesError(.notFound, "there is no upload \(upload)")
            }
            try Access.check(record, record.namespace, principal)
            try record.ensurePending()
            try PageQueries(connection).store(parsed.map { ($0.id, $0.encoded) }, account: principal.account)
            let blocks = parsed.flatMap { $0.blocks.map(\.block) }
            return try BlockQueries(connection).missing(blocks, account: principal.account)
        }
    }
}
