import Metadata
public import Model
public import WireProtocol

/// The completion callback within one process.
public struct CompleteUpload: UploadCompletion {
    private let context: FilesContext

    /// Makes the use case.
    public init(_ context: FilesContext) { self.context = context }

    /// Commits a pending upload when nothing of it is missing.
    /// - Throws: ``FilesError``: `notFound` for no such upload, `conflict` for one that has expired,
    ///   `uploadSuperseded` for one that was withdrawn or replaced, `invalidPage` when the blocks that came do not fit the
    ///   recipe; then the upload has ended.
    public func complete(_ upload: UploadID) async throws -> UploadOutcome {
        let found = try await look(upload)
        switch found {
        case .decided(let outcome): return outcome
        case .lacking(let record, let findings):
            return try await keepWaiting(record, findings)
        case .ready(let record, let changes, let findings):
            return try await commit(record, changes, findings)
        case .invalid(let record, let error):
            try await context.database.write { connection in
                try UploadQueries(connection).byID(record.id)?.ensurePending()
                try UploadQueries(connection).setState(record.id, .refused)
            }
            throw error
        }
    }

    private enum Found: Sendable {
        case decided(UploadOutcome)
        case lacking(UploadRecord, UploadAudit.Findings)
        case ready(UploadRecord, [NodeChange], UploadAudit.Findings)
        case invalid(UploadRecord, FilesError)
    }

    private func look(_ upload: UploadID) async throws -> Found {
        try await context.database.read { connection in
            guard let record = try UploadQueries(connection).byID(upload) else {
                throw FilesError(.notFound, "there is no upload \(upload)")
            }
            if let outcome = try CommitQueries(connection).outcome(of: upload, in: record.namespace) {
                return .decided(outcome.uploadOutcome)
            }
            try record.ensurePending()
            guard let encoded = record.changes else {
                let missing = try UploadQueries(connection).missing(upload, limit: Self.toldAtOnce)
                return .decided(.pending(missingBlocks: missing, missingPages: []))
            }
            let changes = try ChangeSet.decode(encoded)
            do {
                let findings = try UploadAudit(
                    connection: connection, account: record.account, pages: [:], inline: [:]
                ).run(changes, in: record.namespace)
                let isWhole = findings.missing.isEmpty && findings.missingPages.isEmpty
                return isWhole ? .ready(record, changes, findings) : .lacking(record, findings)
            } catch let error as FilesError where error.code == .invalidPage {
                return .invalid(record, error)
            }
        }
    }

    private static let toldAtOnce = 8192

    private func keepWaiting(_ record: UploadRecord, _ findings: UploadAudit.Findings) async throws -> UploadOutcome {
        try await context.database.write { connection in
            try UploadQueries(connection).byID(record.id)?.ensurePending()
            try CollectionQueries(connection).rescue(
                blocks: findings.needed, pages: findings.neededPages, account: record.account)
            let lacking = try BlockQueries(connection).missing(findings.missing, account: record.account)
            try UploadQueries(connection).addMissing(record.id, lacking)
            return .pending(missingBlocks: lacking, missingPages: findings.missingPages)
        }
    }

    private func commit(
        _ record: UploadRecord, _ changes: [NodeChange], _ findings: UploadAudit.Findings
    ) async throws -> UploadOutcome {
        let step = CommitStep(
            account: record.account,
            request: CommitRequest(
                namespace: record.namespace, upload: record.id, device: record.device, changes: changes),
            needed: findings.needed, neededPages: findings.neededPages, announced: record,
            time: context.clock.now())
        let (result, isFirst) = try await context.database.write { connection in
            // Two batches may bring the last two blocks at the same time: one of them commits and tells.
            let before = try CommitQueries(connection).outcome(of: record.id, in: record.namespace)
            if let before { return (CommitStep.Result.decided(before), false) }
            // It may have been withdrawn since it was looked at.
            try UploadQueries(connection).byID(record.id)?.ensurePending()
            let result = try step.run(connection)
            if case .lacking(let blocks, _) = result { try UploadQueries(connection).addMissing(record.id, blocks) }
            return (result, true)
        }
        switch result {
        case .lacking(let blocks, let pages): return .pending(missingBlocks: blocks, missingPages: pages)
        case .decided(let outcome):
            if isFirst { await context.tell(outcome, by: record.device) }
            return outcome.uploadOutcome
        }
    }
}
