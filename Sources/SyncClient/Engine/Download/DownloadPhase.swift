import Blocks
import Model
import SyncPlanning

/// Carries out the local steps of a plan: builds the files from blocks of this disk and of the server, and has the
/// applier put everything in its place, in the plan's order.
///
/// Steps are done in portions; while one is applied, the files of the next are built.
struct DownloadPhase {
    let context: EngineContext
    let folder: LinkedFolder
    let applier: ApplierBox

    /// What came of it.
    struct Report: Sendable {
        var done = 0
        /// Nodes that were settled with the note of what was done.
        var settled: Set<NodeID> = []
        /// Nodes that are not to be settled.
        var failed: Set<NodeID> = []
        var problems: [Problem] = []
        var kept: [(path: LocalPath, kept: LocalPath)] = []
        /// When files that wait for the server's archive are worth another try; nil when none does.
        var retryAfter: Duration?
    }

    /// Most bytes of one portion, but for one file that is larger.
    private static let bytesInPortion: UInt64 = 64 << 20

    /// - Parameters:
    ///   - actions: The steps of the plan.
    ///   - settlements: What the plan settles once they are done.
    /// - Returns: What came of it.
    /// - Throws: ``ClientError`` for what concerns more than single files.
    func run(_ actions: [LocalAction], settling settlements: [Plan.Settlement]) async throws -> Report {
        var report = Report()
        if actions.isEmpty { return report }
        var records: [NodeID: NodeRecord] = [:]
        for settlement in settlements { records[settlement.node] = settlement.record }
        let contents = actions.compactMap(\.placedContent)
        context.progress.begin(.receiving, files: actions.count, bytes: contents.reduce(0) { $0 + $1.size })
        let portions = Self.portions(actions, most: context.limits.stepsInPortion)
        var staged = try await build(portions[0])
        for (index, portion) in portions.enumerated() {
            let ready = staged
            let following = index + 1 < portions.count ? portions[index + 1] : nil
            async let upcoming = build(following)
            try await apply(portion, ready, records, &report)
            staged = try await upcoming
        }
        return report
    }

    private static func portions(_ actions: [LocalAction], most: Int) -> [ArraySlice<LocalAction>] {
        var portions: [ArraySlice<LocalAction>] = []
        var start = 0
        var bytes: UInt64 = 0
        for (index, action) in actions.enumerated() {
            let size = action.placedContent?.size ?? 0
            if index - start >= most || (bytes > 0 && bytes + size > bytesInPortion) {
                portions.append(actions[start..<index])
                start = index
                bytes = 0
            }
            bytes += size
        }
        portions.append(actions[start...])
        return portions
    }

    /// The files of a portion, and what could not be built.
    private struct Staged: Sendable {
        var files: [NodeID: StagedFile] = [:]
        var failures: [NodeID: ClientError] = [:]
    }

    private func build(_ portion: ArraySlice<LocalAction>?) async throws -> Staged {
        guard let portion else { return Staged() }
        let building = FileBuilding(context: context, applier: applier)
        let (files, failures) = try await building.run(portion)
        return Staged(files: files, failures: failures)
    }

    private func apply(
        _ portion: ArraySlice<LocalAction>, _ staged: Staged, _ records: [NodeID: NodeRecord], _ report: inout Report
    ) async throws {
        // A node that failed in an earlier portion must not be touched by a later one.
        let steps = portion.filter { staged.failures[$0.node] == nil && !report.failed.contains($0.node) }
        for action in portion {
            guard let error = staged.failures[action.node] else { continue }
            if error.code == .thawing, let wait = error.retryAfter {
                report.retryAfter = min(report.retryAfter ?? wait, wait)
            }
            if report.failed.insert(action.node).inserted {
                let path = try await context.onWorker { try applier.path(of: action) }
                report.problems.append(Problem(path: path, error))
            }
        }
        let outcome = try await context.onWorker {
            try context.database.readingMuch { try applier.perform(steps, files: staged.files, settling: records) }
        }
        report.settled.formUnion(outcome.settled)
        report.done += outcome.outcomes.count { $0 == .done }
        report.failed.formUnion(outcome.failed)
        report.problems += outcome.problems
        report.kept += outcome.kept
        context.progress.advance(files: steps.count)
        context.counter.add(outcome.outcomes.count { $0 == .done }, to: \.changesApplied)
        try context.step(.stepApplied)
    }
}

/// The applier, handed from thread to thread. `@unchecked`: used by one of them at a time, since the phases that
/// use it follow each other, and files are begun under the lock.
final class ApplierBox: @unchecked Sendable {
    /// The link that it works for.
    let link: LinkID
    private let applier: Applier
    private let lock = ThreadLock()

    init(_ applier: Applier) {
        self.applier = applier
        link = applier.link.id
    }

    func perform(
        _ actions: [LocalAction], files: [NodeID: StagedFile], settling records: [NodeID: NodeRecord]
    ) throws -> ApplierReport {
        try lock.with { try applier.perform(actions, files: files, settling: records) }
    }

    func build(_ node: NodeID, _ state: NodeState) throws -> FileBuilder {
        try lock.with { try applier.build(node, state) }
    }

    func path(of action: LocalAction) throws -> LocalPath { try lock.with { try applier.path(of: action) } }

    func recover() throws -> ApplierReport { try lock.with { try applier.recover() } }

    func finish() throws { try lock.with { try applier.finish() } }
}

extension LocalAction {
    /// The content of the file that the step places.
    var placedContent: Content? {
        if case .placeFile(let state) = step { state.payload.content } else { nil }
    }
}
