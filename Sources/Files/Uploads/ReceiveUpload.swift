import Blocks
import CoreMetrics
import Metadata
public import Model
public import WireProtocol

/// Takes a set of changes from a device: commits it when all that it needs is there or rides along, else stores it as
/// PENDING and tells the others.
///
/// Every step may be repeated: a committed upload is answered with its commit, a pending one with what it still lacks.
public struct ReceiveUpload: Sendable {
    private let context: FilesContext
    private let completion: any UploadCompletion

    /// Makes the use case; `completion` is told when other uploads got their last block with this one.
    public init(_ context: FilesContext, completion: any UploadCompletion) {
        self.context = context
        self.completion = completion
    }

    /// Takes a request.
    /// - Throws: ``FilesError``: `notFound` for the namespace; `invalidRequest`, `invalidPage`, `hashMismatch` or
    ///   `tooLarge` for what can't be; `conflict` for an upload that has expired or is another's; `uploadSuperseded` for
    ///   one that was withdrawn or replaced; `quotaExceeded` for one that brings new bytes to a full account; and what the database and the store throw.
    /// - Complexity: O(changes + pages that the committed contents do not have), one read and one write of the database,
    ///   one append to the store.
    public func callAsFunction(
        _ request: UploadRequest, in namespace: NamespaceID, by principal: Principal
    ) async throws -> UploadOutcome {
        try UploadRules.check(request)
        let pages = try await parse(request.pages)
        let survey = try await survey(request, pages, namespace, principal)
        if let outcome = survey.outcome { return outcome.uploadOutcome }
        if survey.bringsBlocks(request) { try await context.quotas.check(principal.account) }
        let landed = try await NoteBlocks.repeating {
            let stored = try await SealBlocks(context).callAsFunction(
                request.blocks, present: survey.present, account: principal.account)
            let landing = Landing(
                request: request, namespace: namespace, principal: principal, survey: survey, stored: stored,
                pages: pages.values.map { ($0.id, $0.encoded) }, now: context.clock.now(),
                expires: context.clock.now().advanced(by: context.limits.uploadLifetime))
            return try await context.database.write { try landing.run($0) }
        }
        await tell(landed, principal)
        for upload in landed.settled { await completion.completeInPassing(upload, log: context.log) }
        return landed.outcome
    }

    /// What one read finds out.
    struct Survey: Sendable {
        /// What was decided before.
        var outcome: CommitOutcome?
        /// The upload, when it was announced before.
        var announced: UploadRecord?
        /// The inline blocks that the account has already.
        var present: Set<BlockID> = []
        var findings = UploadAudit.Findings()

        /// Whether blocks have to be stored for the upload that the account does not have. What needs none, as a removal or a
        /// copy, is taken from an account that is full, too.
        func bringsBlocks(_ request: UploadRequest) -> Bool {
            !findings.missing.isEmpty || !request.blocks.allSatisfy { present.contains($0.id) }
        }
    }

    private func survey(
        _ request: UploadRequest, _ pages: [PageID: RecipePage], _ namespace: NamespaceID, _ principal: Principal
    ) async throws -> Survey {
        try await context.database.read { connection in
            try Access.check(connection, namespace, principal)
            var survey = Survey()
            survey.outcome = try CommitQueries(connection).outcome(of: request.upload, in: namespace)
            if survey.outcome != nil { return survey }
            survey.announced = try UploadQueries(connection).byID(request.upload)
            if let announced = survey.announced {
                try Access.check(announced, namespace, principal)
                try announced.ensureNotWithdrawn()
            }
            let ids = request.blocks.map(\.id)
            let lacking = Set(try BlockQueries(connection).missing(ids, account: principal.account))
            survey.present = Set(ids).subtracting(lacking)
            guard request.complete else { return survey }
            let inline = Dictionary(request.blocks.map { ($0.id, $0.length) }, uniquingKeysWith: { first, _ in first })
            survey.findings = try UploadAudit(
                connection: connection, account: principal.account, pages: pages, inline: inline
            ).run(request.changes, in: namespace)
            return survey
        }
    }

    private func parse(_ pages: [[UInt8]]) async throws -> [PageID: RecipePage] {
        let parsed = try await context.workers.map(pages) { _, bytes in try RecipePage(decodingUntrusted: bytes) }
        return Dictionary(parsed.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    private func tell(_ landed: Landing.Landed, _ principal: Principal) async {
        context.metrics.superseded.increment(by: landed.superseded)
        if let decided = landed.decided { await context.tell(decided, by: principal.device) }
        if let head = landed.announced { await context.tellPending(head, by: principal.device) }
    }
}

extension RecipePage {
    /// Reads a page that a device sent.
    /// - Throws: ``FilesError`` `invalidPage`.
    init(decodingUntrusted bytes: [UInt8]) throws {
        do {
            try self.init(decoding: bytes)
        } catch let error as BlocksError {
            throw FilesError(.invalidPage, error.message)
        }
    }
}
