import CoreMetrics
public import Metadata
public import Model
import Retention

/// Gives up versions of accounts that are over their quota: those that are worth least, as far as the policies allow it.
///
/// What has to go is what the kept versions need beyond ``aim`` of the limit, not what is stored: bytes that wait for the
/// collection are as good as free, so that a second round before it takes nothing more. Every file gives the same part of
/// what it could give, the least valuable versions first. Where that is not enough, what is kept of deleted files only because
/// they were deleted lately goes too.
public struct RelieveQuotas: Sendable {
    private let database: any MetadataDatabase
    private let clock: any WallClock
    private let thinned = Counter(label: "cairn_versions_thinned_for_quota_total")

    /// The part of the limit that is to be used afterwards, so that the next upload does not need it all again.
    static let aim = 0.95

    /// What was done for one account.
    public struct Report: Hashable, Sendable {
        /// The account.
        public let account: AccountID
        /// The sealed bytes that were to be freed.
        public let needed: UInt64
        /// The versions that went.
        public let versions: Int
    }

    /// Makes the use case.
    public init(database: any MetadataDatabase, clock: any WallClock) {
        self.database = database
        self.clock = clock
    }

    /// Looks at all accounts.
    /// - Returns: those that had to give something up.
    /// - Throws: ``FilesError`` `corruptData` for recipes or policies that can't be read, and what the database throws.
    public func callAsFunction() async throws -> [Report] {
        var reports: [Report] = []
        for account in try await database.read({ try AccountQueries($0).all().map(\.id) }) {
            if let report = try await relieve(account) { reports.append(report) }
        }
        return reports
    }

    /// Looks at one account.
    /// - Returns: nil when it is not over its quota, or nothing has to go.
    public func relieve(_ account: AccountID) async throws -> Report? {
        let (limit, stored) = try await database.read { connection in
            let queries = QuotaQueries(connection)
            guard let limit = try queries.quota(of: account) else { return (UInt64?.none, UInt64(0)) }
            return (limit, try queries.stored(by: account).sealedBytes)
        }
        guard let limit, stored >= limit else { return nil }
        let wanted = UInt64(Double(limit) * Self.aim)
        var report: Report?
        for givesDeleted in [false, true] {
            let kept = try await BlockCensus(database: database, account: account, part: .everything).run().own
            guard kept.sealedBytes > wanted else { break }
            let needed = kept.sealedBytes - wanted
            let versions = try await free(needed, of: account, givesDeleted: givesDeleted)
            report = Report(
                account: account, needed: report?.needed ?? needed, versions: versions + (report?.versions ?? 0))
        }
        thinned.increment(by: report?.versions ?? 0)
        return report
    }

    private func free(_ needed: UInt64, of account: AccountID, givesDeleted: Bool) async throws -> Int {
        var removable: UInt64 = 0
        try await walk(account, share: 1, givesDeleted) { batch, _ in
            removable += batch.files.reduce(0) { $0 + $1.freedForQuota }
        }
        guard removable > 0 else { return 0 }
        let share = min(1, Double(needed) / Double(removable))
        var versions = 0
        try await walk(account, share: share, givesDeleted) { batch, namespace in
            let (files, now) = (batch.files.filter { !$0.going.isEmpty }, clock.now())
            versions += try await database.write { connection in
                try files.reduce(0) { try $0 + $1.apply(connection, in: namespace, at: now).versions }
            }
        }
        return versions
    }

    /// Decides about all files of an account, each of which is to free a part of what it could.
    private func walk(
        _ account: AccountID, share: Double, _ givesDeleted: Bool,
        _ body: (RetentionWalk.Batch, NamespaceID) async throws -> Void
    ) async throws {
        for namespace in try await database.read({ try NamespaceQueries($0).all(visibleTo: account) }) {
            var after: NodeID?
            repeat {
                let (start, now) = (after, clock.now())
                let batch = try await database.read { connection in
                    let rules = try RetentionRules(connection, namespace, of: account)
                    let walk = RetentionWalk(namespace: namespace, rules: rules, now: now)
                    return try walk.batch(connection, after: start, givesDeleted: givesDeleted) { versions, policy in
                        guard policy.yieldsToQuota else { return 0 }
                        try VersionBytes(account: account, connection).measure(&versions)
                        let all = policy.decide(versions, now: now, freeing: .max, givesDeleted: givesDeleted)
                        return UInt64((Double(all.freedForQuota) * share).rounded(.up))
                    }
                }
                try await body(batch, namespace)
                after = batch.last
            } while after != nil
        }
    }
}

extension [RetentionPolicy.Decision] {
    /// The bytes that are free when those go that go because the account is over its quota.
    fileprivate var freedForQuota: UInt64 {
        reduce(0) { sum, decision in
            guard decision.verdict == .go(.overQuota) else { return sum }
            return sum + (decision.version.ownBytes ?? decision.version.content.size)
        }
    }
}

extension FileVerdicts {
    fileprivate var freedForQuota: UInt64 { decisions.freedForQuota }
}
