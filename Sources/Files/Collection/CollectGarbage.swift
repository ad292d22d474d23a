import Logging
import Metadata
public import Model

/// Removes what nothing names any more: pages, blocks, and the packs that held them. It runs beside everything else.
///
/// docs/decisions has the argument why it never takes what anybody needs.
public struct CollectGarbage: Sendable {
    private let context: FilesContext
    private let limits: CollectionLimits
    private let pace: CollectionPace

    /// Makes the use case.
    public init(_ context: FilesContext, limits: CollectionLimits? = nil, pace: CollectionPace = .unbounded) {
        self.context = context
        self.limits = limits ?? CollectionLimits(uploadLifetime: context.limits.uploadLifetime)
        self.pace = pace
    }

    /// Looks once through all accounts and all packs.
    ///
    /// Killed at any point it has lost nothing, and the next run does what is left. A run that begins ends those
    /// before it.
    /// - Parameter dryRun: whether nothing is changed and the report says what would be done.
    /// - Returns: what was done, or would be.
    /// - Throws: `CollectionSuperseded` when another run has begun meanwhile; what the database, the store and the pace
    ///   throw.
    public func callAsFunction(dryRun: Bool = false) async throws -> CollectionReport {
        var report = CollectionReport()
        let turn = try await begin(dryRun)
        try await collectAccounts(turn, &report)
        try await TidyPacks(turn: turn).run(&report)
        if !dryRun { context.metrics.collection.ended(report) }
        return report
    }

    /// When the newest run began; nil when there was none.
    public func lastRun() async throws -> Timestamp? {
        try await context.database.read { try CollectionQueries($0).lastTurn() }
    }

    /// Begins a run.
    func begin(_ dryRun: Bool = false) async throws -> CollectionTurn {
        let (run, now) = (context.randomness.bytes(16), context.clock.now())
        if !dryRun { try await context.database.write { try CollectionQueries($0).beginTurn(run, at: now) } }
        return CollectionTurn(context: context, limits: limits, pace: pace, run: run, isDry: dryRun)
    }

    /// Looks through all accounts, first those that a run before did not come to.
    func collectAccounts(_ turn: CollectionTurn, _ report: inout CollectionReport) async throws {
        let (accounts, last) = try await turn.read {
            (try CollectionQueries($0).accounts(), try CollectionQueries($0).lastAccount())
        }
        let ordered = last.map { last in accounts.filter { $0 > last } + accounts.filter { $0 <= last } } ?? accounts
        var noted: Timestamp = context.clock.now()
        var isNoted = last != nil
        for account in ordered {
            do {
                try await CollectAccount(turn: turn, account: account).run(&report)
            } catch let error as FilesError where error.code == .corruptData {
                context.log.error("an account can't be collected", metadata: ["cause": "\(error)"])
                report.failures.append(error.message)
            }
            report.accounts += 1
            let now = context.clock.now()
            if !turn.isDry, now >= noted.advanced(by: Self.notedEvery) {
                try await turn.write { try CollectionQueries($0).setLastAccount(account, at: now) }
                (noted, isNoted) = (now, true)
            }
        }
        if isNoted, !turn.isDry {
            let now = context.clock.now()
            try await turn.write { try CollectionQueries($0).setLastAccount(nil, at: now) }
        }
    }

    private static let notedEvery = Duration.seconds(30)
}
