import Blocks
import CoreMetrics
import Metadata
import Model
import WireProtocol

/// The end of an upload, within one transaction: everything is looked for once more, then the commit is applied.
struct CommitStep: Sendable {
    let account: AccountID
    let request: CommitRequest
    /// What the changes need, as the audit found it.
    let needed: [BlockID]
    /// The upload as the database has it; nil when it was never announced.
    let announced: UploadRecord?
    let time: Timestamp

    /// What became of it.
    enum Result: Sendable {
        /// The commit was decided.
        case decided(CommitOutcome)
        /// These blocks are still missing.
        case lacking([BlockID])
    }

    /// Commits when every block is durable.
    ///
    /// Rows of blocks are made after the blocks are durable, so what is found here is; and what another upload brought
    /// since the audit is found too.
    func run(_ connection: any MetadataConnection) throws -> Result {
        let lacking = try BlockQueries(connection).missing(needed, account: account)
        guard lacking.isEmpty else { return .lacking(lacking) }
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
