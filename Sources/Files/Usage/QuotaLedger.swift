import Metadata
import Model
import Synchronization

/// Knows which accounts are full, without asking the database each time.
///
/// The quota counts the sealed bytes of all blocks of an account, in one region. The sum is read from the database when it is
/// first needed, and again after ten minutes; what this process stores meanwhile is added as it is stored. So what others
/// remove or store shows after ten minutes at the latest, and before an account is refused anything, after ten seconds. The
/// limit itself is read again after a minute. An account goes over its limit by no more than what is on its way when it
/// gets there: requests that run are not broken off.
public final class QuotaLedger: Sendable {
    private struct Entry {
        var limit: UInt64?
        var limitRead: Timestamp
        /// The sum as the database had it; nil while nobody needs it.
        var sum: UInt64?
        var sumRead: Timestamp
        /// What this process has stored since it began to count, and how much of that was there when the sum was read.
        var added: UInt64 = 0
        var addedBefore: UInt64 = 0

        var used: UInt64? { sum.map { $0 + added - addedBefore } }
        var isFull: Bool { limit.map { limit in used.map { $0 >= limit } ?? false } ?? false }
    }

    private static let limitLasts = Duration.seconds(60)
    private static let sumLasts = Duration.seconds(600)
    private static let refusalLasts = Duration.seconds(10)
    private static let mostEntries = 10_000

    private let database: any MetadataDatabase
    private let clock: any WallClock
    private let entries = Mutex<[AccountID: Entry]>([:])

    /// Makes a ledger that knows nothing yet.
    init(database: any MetadataDatabase, clock: any WallClock) {
        self.database = database
        self.clock = clock
    }

    /// Refuses new bytes for an account that is at its limit.
    /// - Throws: ``FilesError`` `quotaExceeded`, with how much is used and what the limit is.
    func check(_ account: AccountID) async throws {
        let now = clock.now()
        var entry = entries.withLock { $0[account] }
        if entry.map({ !Self.isFresh($0.limitRead, Self.limitLasts, now) }) ?? true {
            entry = try await read(account, now, keepsSum: true)
        }
        if let known = entry, known.limit != nil {
            let lasts = known.isFull ? Self.refusalLasts : Self.sumLasts
            if known.sum == nil || !Self.isFresh(known.sumRead, lasts, now) {
                entry = try await read(account, now, keepsSum: false)
            }
        }
        guard let entry, entry.isFull, let limit = entry.limit, let used = entry.used else { return }
        throw FilesError(
            .quotaExceeded,
            "the account is full: it uses \(ByteWords.text(used)) of \(ByteWords.text(limit)); what was stored before is "
                + "safe, and nothing more is taken until there is room",
            retryAfter: Self.retryAfter)
    }

    /// After how many seconds another try makes sense.
    private static let retryAfter = 600

    /// Counts what was stored for an account just now.
    func added(_ bytes: Int, to account: AccountID) {
        entries.withLock { $0[account]?.added += UInt64(bytes) }
    }

    /// Reads the limit and, where one is set and the sum is not to be kept, the sum.
    private func read(_ account: AccountID, _ now: Timestamp, keepsSum: Bool) async throws -> Entry {
        let before = entries.withLock { $0[account] }
        let (limit, sum) = try await database.read { connection -> (UInt64?, UInt64?) in
            let queries = QuotaQueries(connection)
            guard let limit = try queries.quota(of: account) else { return (nil, nil) }
            return (limit, keepsSum ? nil : try queries.stored(by: account).sealedBytes)
        }
        return entries.withLock { entries in
            if entries.count >= Self.mostEntries { entries = [:] }
            var entry = entries[account] ?? Entry(limit: limit, limitRead: now, sum: nil, sumRead: now)
            (entry.limit, entry.limitRead) = (limit, now)
            if let sum {
                // What was stored while the sum was read may or may not be in it: it is counted.
                (entry.sum, entry.sumRead) = (sum, now)
                entry.addedBefore = min(entry.added, before?.added ?? 0)
            }
            entries[account] = entry
            return entry
        }
    }

    /// A clock that was set back makes nothing fresh.
    private static func isFresh(_ read: Timestamp, _ lasts: Duration, _ now: Timestamp) -> Bool {
        read <= now && now < read.advanced(by: lasts)
    }
}
