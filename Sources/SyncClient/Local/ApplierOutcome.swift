import Model
import SyncPlanning

/// What became of one step.
enum StepOutcome: Hashable, Sendable {
    case done
    /// It was left out, for this reason; what was there is there still.
    case failed(Problem)
    /// It was left out because a step on the same node, or on a folder above it, was.
    case skipped
}

/// What became of the steps of a plan.
struct ApplierReport: Sendable {
    /// One for each step, in order.
    var outcomes: [StepOutcome] = []
    /// The nodes of which some step was left out: they are not settled.
    var failed: Set<NodeID> = []
    /// The nodes that were settled with the note of what was done.
    var settled: Set<NodeID> = []
    /// Bytes that nobody had seen, found in a place that was just filled, and where they are now: below the linked folder.
    var kept: [(path: LocalPath, kept: LocalPath)] = []

    var problems: [Problem] {
        outcomes.compactMap { if case .failed(let problem) = $0 { problem } else { nil } }
    }
}

/// The moments within a step at which another program may do its worst, or the machine may stop: tests do both.
enum ApplierMoment: Hashable, Sendable, CaseIterable {
    case beforeBatchSync, afterBatchSync
    case beforePlace, afterPlace
    case beforeExchange, afterExchange, afterVerify, afterUnlink
    case beforeMove, afterMove
    case beforePark, afterPark
    case beforeRemove, afterSetAside, afterRemove
    case beforeAttributes, afterAttributes
    case beforeMakeFolder, afterMakeFolder
    case beforeKeep
    case folderOpened
    case beforeNote, afterNote
}

/// Called at every moment of a step; what it throws stops the applier on the spot, as a kill would.
typealias ApplierHook = (ApplierMoment) throws -> Void
