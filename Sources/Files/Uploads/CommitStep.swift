import Blocks
import CoreMetrics
import Metadata
import Model
import WireProtocol

/// The end of an upload, within one transaction: everything is looked for once more, then the commit is applied.
struct CommitStep: Sendable {
    let account: AccountID
    let request: CommitRequest
    /// The blocks that the changes need, as the audit found them, but for those that are noted in this transaction.
    let needed: [BlockID]
    /// The pages likewise, but for those that are trusted.
    let neededPages: [PageID]
    /// The upload as the database has it; nil when it was never announced.
    let announced: UploadRecord?
    let time: Timestamp

    /// What became of it.
    enum Result: Sendable {
        /// The commit was decided.
        case decided(CommitOutcome)
        /// These are missing: still, or again.
        case lacking(blocks: [BlockID], pages: [PageID])
    }

    /// Commits when every page is there and every block is durable.
    ///
    /// Rows of blocks are made after the blocks are durable, so what is found here is; and what another upload brought
    /// since the audit is found too. What is found is not condemned any more, so that a collector that has begun to look
    /// before this commit does not remove it.
    func run(_ connection: any MetadataConnection) throws -> Result {
        try CollectionQueries(connection).rescue(blocks: needed, pages: neededPages, account: account)
        let pages = try PageQueries(connection).missing(neededPages, account: account)
        let lacking = try BlockQueries(connection).missing(needed, account: account)
        guard lacking.isEmpty, pages.isEmpty else { return .lacking(blocks: lacking, pages: pages) }
        let outcome = try CommitQueries(connection).apply(request, at: time) { SHA256Hasher.digest(of: $0) }
        if announced != nil {
            switch outcome {
            case .committed: try UploadQueries(connection).setState(request.upload, .uploaded)
            case .refused: try UploadQueries(connection).setState(request.upload, .refused)
            }
        }
        return .decided(outcome)
    }
}

extension CommitOutcome {
    /// The outcome as devices are told it.
    var uploadOutcome: UploadOutcome {
        switch self {
        case .committed(let record): .committed(revision: record.head.revision, hash: record.head.hash)
        case .refused(let refusals): .refused(refusals)
        }
    }
}

extension FilesContext {
    /// Tells of a commit that was just decided.
    func tell(_ outcome: CommitOutcome, by device: DeviceID) async {
        switch outcome {
        case .committed(let record): await tellUploaded(record.head, by: device)
        case .refused: metrics.refusals.increment()
        }
    }
}
