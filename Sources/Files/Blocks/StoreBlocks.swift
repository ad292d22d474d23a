public import Blocks
import Metadata
public import Model
public import WireProtocol

/// Takes a batch of blocks; when it answers, all of them are durable.
///
/// Uploads that waited for nothing else are completed on the way, by the completion callback.
public struct StoreBlocks: Sendable {
    private let context: FilesContext
    private let completion: any UploadCompletion

    /// What became of a batch.
    public struct Answer: Hashable, Sendable {
        /// How many of the blocks were new to the account.
        public let added: Int
        /// What became of the upload that the batch is for, when nothing of it is missing any more.
        public let outcome: UploadOutcome?

        /// Makes an answer of its parts.
        public init(added: Int, outcome: UploadOutcome?) {
            self.added = added
            self.outcome = outcome
        }
    }

    /// Makes the use case.
    public init(_ context: FilesContext, completion: any UploadCompletion) {
        self.context = context
        self.completion = completion
    }

    /// Stores the blocks, and completes the upload that they are for when they are the last that it missed.
    /// - Throws: ``FilesError``: `hashMismatch`, `tooLarge`, `notFound` for an upload that is not the account's; and what
    ///   the store, the database and the completion of that upload throw.
    public func callAsFunction(
        _ blocks: [EncodedBlock], for upload: UploadID?, by principal: Principal
    ) async throws -> Answer {
        let account = principal.account
        let ids = blocks.map(\.id)
        let present = try await context.database.read { connection -> Set<BlockID> in
            if let upload {
                guard let record = try UploadQueries(connection).byID(upload), record.account == account else {
                    throw FilesError(.notFound, "there is no upload \(upload)")
                }
                try record.ensureNotWithdrawn()
            }
            return Set(ids).subtracting(try BlockQueries(connection).missing(ids, account: account))
        }
        let noted = try await NoteBlocks(context: context, account: account, ids: ids).run(
            lacking: Set(ids).subtracting(present)
        ) { lacking in
            try await SealBlocks(context).callAsFunction(
                blocks, present: Set(ids).subtracting(lacking), account: account)
        } note: { connection -> ([UploadID], Bool) in
            // All of them, not the new ones only: a block may have come by another upload between the announcement and now.
            let settled = try UploadQueries(connection).settle(ids, account: account)
            return (settled, try upload.map { try Self.isWhole($0, connection) } ?? false)
        }
        let (settled, isWhole) = noted.answer
        var outcome: UploadOutcome?
        for other in settled where other != upload { await completion.completeInPassing(other, log: context.log) }
        // The completion also tells of an upload that was withdrawn in the meantime.
        if let upload, isWhole { outcome = try await completion.complete(upload) }
        if case .pending = outcome { outcome = nil }
        return Answer(added: noted.added, outcome: outcome)
    }

    /// Whether an upload waits for nothing: also when a request before this one settled it and died, or has ended it.
    private static func isWhole(_ upload: UploadID, _ connection: any MetadataConnection) throws -> Bool {
        let uploads = UploadQueries(connection)
        guard let record = try uploads.byID(upload) else { return false }
        switch record.state {
        case .pending: return try record.changes != nil && uploads.missing(upload, limit: 1).isEmpty
        case .uploaded, .refused, .superseded, .withdrawn: return true
        case .expired: return false
        }
    }
}
