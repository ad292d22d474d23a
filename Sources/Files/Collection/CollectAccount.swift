import Metadata
import Model

/// Looks through one account: takes out of what is condemned what is in use, removes what has been condemned for long, and
/// condemns what else is not in use.
///
/// A mark stands between the two ends of everything that goes: what is removed here was condemned before this mark
/// began, because what this run condemns in a range it condemns after it has removed there.
struct CollectAccount: Sendable {
    let turn: CollectionTurn
    let account: AccountID

    /// Looks through all names, in as many parts as memory asks for.
    /// - Throws: ``FilesError`` `corruptData` when it can't be told what the account needs; then nothing of that part was
    ///   touched. ``CollectionSuperseded``, and what the database throws.
    func run(_ report: inout CollectionReport) async throws {
        var ranges = [DigestRange.all]
        while let range = ranges.popLast() {
            var mark = AccountMark(turn, of: account, in: range)
            try await mark.run()
            let halves = range.halves
            if mark.isFull, halves.count > 1 {
                ranges += halves.reversed()
                continue
            }
            for kind in CondemnedKind.allCases {
                try await settle(kind, mark.live, &report)
                try await condemn(kind, mark.live, &report)
            }
        }
    }

    /// Goes through what was condemned before the mark began.
    private func settle(_ kind: CondemnedKind, _ live: LiveSet, _ report: inout CollectionReport) async throws {
        let (account, range, limit) = (account, live.range, turn.limits.rows)
        let due = turn.context.clock.now().advanced(by: .zero - turn.limits.safetyWindow)
        var last: Digest?
        while true {
            let condemned = try await turn.read { [last] in
                try CollectionQueries($0).condemned(kind, account: account, in: range, after: last, limit: limit)
            }
            let found = condemned.map(\.id).filter { live.contains(kind, $0) }
            let dead = condemned.filter { $0.since <= due && !live.contains(kind, $0.id) }.map(\.id)
            report.waiting += condemned.count - found.count - dead.count
            try await settle(kind, found: found, dead: dead, due, &report)
            guard condemned.count == limit else { return }
            last = condemned.last?.id
        }
    }

    private func settle(
        _ kind: CondemnedKind, found: [Digest], dead: [Digest], _ due: Timestamp, _ report: inout CollectionReport
    ) async throws {
        var (rescued, swept) = (found.count, (count: dead.count, bytes: UInt64(0)))
        if !turn.isDry, rescued + swept.count > 0 {
            let account = account
            (rescued, swept) = try await turn.write { connection in
                let collection = CollectionQueries(connection)
                return (
                    try collection.release(kind, found, account: account),
                    try collection.sweep(kind, dead, account: account, condemnedBy: due)
                )
            }
        }
        report.rescued += rescued
        report.sweptBytes += swept.bytes
        switch kind {
        case .page: report.sweptPages += swept.count
        case .block: report.sweptBlocks += swept.count
        }
    }

    /// Condemns what is neither in use nor condemned.
    private func condemn(_ kind: CondemnedKind, _ live: LiveSet, _ report: inout CollectionReport) async throws {
        let (account, range, limit) = (account, live.range, turn.limits.rows)
        var last: Digest?
        while true {
            let present = try await turn.read { [last] in
                try CollectionQueries($0).uncondemned(kind, account: account, in: range, after: last, limit: limit)
            }
            let dead = present.filter { !live.contains(kind, $0) }
            if turn.isDry {
                report.condemned += dead.count
            } else if !dead.isEmpty {
                let now = turn.context.clock.now()
                report.condemned += try await turn.write {
                    try CollectionQueries($0).condemn(kind, dead, account: account, at: now)
                }
            }
            guard present.count == limit else { return }
            last = present.last
        }
    }
}
