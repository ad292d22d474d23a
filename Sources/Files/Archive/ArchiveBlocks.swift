import Blocks
import CoreMetrics
import Logging
public import Metadata
import Model
import Storage

/// Moves to the archive what the policy lets go.
///
/// A block is read, verified, compressed densely, sealed anew and appended to the archive; when that is durable, one
/// transaction lets its row name the new place, if it names the old one still and no version that is not cold has come to
/// need it. Then its old bytes are named by nothing, and the collection of garbage has them. A process may end at any point:
/// what was appended and not named is bytes that nothing names, and the next round begins with what is left.
public struct ArchiveBlocks: Sendable {
    /// Waits after a number of bytes was moved, so that others get their share of the disks.
    public typealias Pace = @Sendable (_ bytes: Int) async throws -> Void

    private let context: FilesContext
    private let pace: Pace
    private let lease: Lease?
    private let packWindow: Duration

    /// What a round did.
    public struct Report: Hashable, Sendable {
        /// Blocks that lie in the archive now.
        public var blocks = 0
        /// Their sealed bytes before.
        public var bytes = 0
        /// Their sealed bytes in the archive.
        public var archivedBytes = 0
        /// Blocks that are damaged where they lie, and stay.
        public var damaged = 0
        /// Packs of the archive that nothing named any more.
        public var removedPacks = 0

        /// Makes a report of nothing.
        public init() {}
    }

    /// Makes the use case.
    /// - Parameters:
    ///   - context: what it works on.
    ///   - lease: by which the process does this job: once it is lost, no row is changed any more. Nil when no other
    ///     process can do the job.
    ///   - packWindow: for how long nothing may have named a pack before it is removed: an hour by default.
    ///   - pace: waits now and then.
    public init(
        _ context: FilesContext, lease: Lease? = nil, packWindow: Duration = .seconds(3600),
        pace: @escaping Pace = { _ in }
    ) {
        self.context = context
        self.lease = lease
        self.packWindow = packWindow
        self.pace = pace
    }

    /// Goes through all accounts once, and then removes packs of the archive that nothing names. One call at a time.
    /// - Throws: the first error of an account, after the others had their turn; ``FilesError`` `unavailable` without an
    ///   archive; `LeaseLost` when another process does the job now.
    public func callAsFunction() async throws -> Report {
        guard let archive = context.archive else { throw FilesError(.unavailable, "this server has no archive") }
        // From here on the files that become current are looked through.
        try await WarmFiles(context)()
        var report = Report()
        var failure: (any Error)?
        for account in try await context.database.read({ try AccountQueries($0).all() }) {
            do {
                try await move(account.id, archive, &report)
            } catch {
                if error is CancellationError || error is LeaseLost { throw error }
                context.log.error(
                    "blocks could not be archived", metadata: ["account": "\(account.id)", "cause": "\(error)"])
                failure = failure ?? error
            }
        }
        report.removedPacks = try await removePacks(archive)
        if let failure { throw failure }
        let now = context.clock.now()
        try await write { try ArchiveQueries($0).noteRound(at: now) }
        return report
    }

    private func move(_ account: AccountID, _ archive: ArchiveTier, _ report: inout Report) async throws {
        let cutoffs = archive.policy.cutoffs(at: context.clock.now())
        var search = ColdSearch(context, account: account, cutoffs: cutoffs, capacity: archive.limits.selection)
        while let blocks = try await search.next() {
            for start in stride(from: 0, to: blocks.count, by: Self.rowsAtOnce) {
                let ids = Array(blocks[start..<min(start + Self.rowsAtOnce, blocks.count)])
                let rows = try await context.database.read {
                    try ArchiveQueries($0).movable(
                        ids, account: account, unreadSince: cutoffs.unread, today: cutoffs.today)
                }
                let found = ids.compactMap { rows[$0] }
                for portion in Portions(found, bytes: archive.limits.portion) {
                    try await move(portion, of: account, &search, archive, today: cutoffs.today, &report)
                }
            }
        }
    }

    private static let rowsAtOnce = 256
    /// How often it is tried to catch up with those who commit, before a portion is left to the next round.
    private static let attempts = 8

    private func move(
        _ blocks: [StoredBlock], of account: AccountID, _ search: inout ColdSearch, _ archive: ArchiveTier,
        today: Day, _ report: inout Report
    ) async throws {
        let cold = blocks.filter { search.isCold($0.id) }
        let sealed = try await dense(cold, account, &report)
        if sealed.isEmpty { return }
        let places = try await archive.store.append(sealed.map(\.bytes))
        var moves = zip(sealed, places).map { sealed, place in
            BlockMove(from: sealed.block, pack: place.pack, offset: place.offset, length: place.length)
        }
        for _ in 0..<Self.attempts {
            try await search.catchUp()
            moves.removeAll { !search.isCold($0.from.id) }
            if moves.isEmpty { break }
            let (heads, confirmed) = (search.heads, moves)
            let moved = try await write { connection -> Int? in
                // The order is that of the commits: one that comes later sees that the block lies in the archive.
                guard try ColdSearch.heads(of: account, connection) == heads else { return nil }
                return try ArchiveQueries(connection).archive(confirmed, account: account, today: today)
            }
            guard let moved else { continue }
            note(moved, confirmed, archive, &report)
            break
        }
        try await pace(sealed.reduce(0) { $0 + Int($1.block.length) + $1.bytes.count })
    }

    private func note(_ moved: Int, _ moves: [BlockMove], _ archive: ArchiveTier, _ report: inout Report) {
        let bytes = moves.reduce(0) { $0 + Int($1.from.length) }
        report.blocks += moved
        report.bytes += bytes
        report.archivedBytes += moves.reduce(0) { $0 + Int($1.length) }
        archive.counts.change {
            $0.moved += moved
            $0.movedBytes += bytes
        }
    }

    // MARK: Bytes

    private struct Sealed: Sendable {
        let block: StoredBlock
        let bytes: [UInt8]
    }

    /// Reads blocks and seals them anew, as small as they get. What is damaged is left out.
    private func dense(_ blocks: [StoredBlock], _ account: AccountID, _ report: inout Report) async throws -> [Sealed] {
        if blocks.isEmpty { return [] }
        let key = try await context.keys.key(of: account)
        let reading = ReadRecords(context)
        var result: [Sealed] = []
        for (block, record) in try await reading(blocks, { try await context.store.read($0) }) {
            // One at a time: the other workers stay free for requests.
            let bytes = try await context.workers.run { worker in
                try record.flatMap { try worker.reseal($0, of: block, account: account, key: key) }
            }
            if let bytes {
                result.append(Sealed(block: block, bytes: bytes))
            } else {
                report.damaged += 1
                context.archive?.counts.change { $0.damaged += 1 }
            }
        }
        return result
    }

    // MARK: Packs

    /// Removes complete packs that no block lies in and none lay in when the round before looked, a while ago: what another
    /// process had appended just before it lost the job had time to be named, or never will be.
    private func removePacks(_ archive: ArchiveTier) async throws -> Int {
        let now = context.clock.now()
        let before = try await context.database.read { try ArchiveQueries($0).unnamedPacks() }
        var unnamed: [PackID: Timestamp] = [:]
        for pack in try await archive.store.packs() where pack.isSealed {
            if try await context.database.read({ try ArchiveQueries($0).isNamed(pack.pack) }) { continue }
            unnamed[pack.pack] = min(before[pack.pack] ?? now, now)
        }
        let found = unnamed
        if found != before { try await write { try ArchiveQueries($0).noteUnnamedPacks(found, at: now) } }
        var removed = 0
        for pack in found.keys.sorted() {
            guard let since = before[pack], since.advanced(by: packWindow) <= now else { continue }
            // The last look: whoever had the job before can name nothing any more.
            guard try await !write({ try ArchiveQueries($0).isNamed(pack) }) else { continue }
            try await archive.store.delete(pack)
            removed += 1
        }
        return removed
    }

    /// Changes something, if the job is still this process's.
    private func write<T: Sendable>(
        _ body: @escaping @Sendable (any MetadataConnection) throws -> T
    ) async throws -> T {
        let lease = lease
        return try await context.database.write { connection in
            if let lease { try LeaseQueries(connection).ensure(lease) }
            return try body(connection)
        }
    }
}

extension Worker {
    /// Opens a sealed block, verifies it, and seals it anew, compressed as densely as it gets; nil when it is damaged.
    fileprivate func reseal(
        _ record: [UInt8], of stored: StoredBlock, account: AccountID, key: AccountKey
    ) throws -> [UInt8]? {
        let sealer = try sealer(for: account, key: key)
        let block: EncodedBlock
        let plain: [UInt8]
        do {
            block = try record.withUnsafeBytes { try sealer.open($0, expecting: stored.id) }
            plain = try decoder.decode(block)
        } catch is BlocksError { return nil }
        let dense = plain.withUnsafeBytes { plain in
            encoder.encode(
                plain, id: stored.id, as: CompressionPolicy.archive.choose(name: nil, sample: plain))
        }
        return try sealer.seal(dense.payload.count < block.payload.count ? dense : block)
    }
}
