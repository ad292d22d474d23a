import Blocks
public import Messaging
import Metadata
public import Model
import Storage

/// Brings back what was asked for: blocks whose packs are thawed are copied to where they can be read at once, and devices
/// that waited are told.
public struct ThawBlocks: Sendable {
    private let context: FilesContext
    private let queue: (any OfflineQueue)?

    /// What a round did.
    public struct Report: Hashable, Sendable {
        /// Blocks that were brought back.
        public var blocks = 0
        /// Requests that became ready.
        public var ready = 0
        /// Requests that ended although some of their blocks could not be read.
        public var failed = 0
        /// When the next request is expected to be ready; nil when none waits.
        public var next: Timestamp?

        /// Makes a report of nothing.
        public init() {}
    }

    /// Makes the use case. Devices that are away find in the `queue` that what they asked for is ready.
    public init(_ context: FilesContext, queue: (any OfflineQueue)? = nil) {
        self.context = context
        self.queue = queue
    }

    /// Serves the requests that may be ready now. One call at a time.
    /// - Throws: what the stores and the database throw; what was not done is done by the next call.
    public func callAsFunction() async throws -> Report {
        var report = Report()
        guard let archive = context.archive else { return report }
        let now = context.clock.now()
        try await context.database.write { try ThawQueries($0).forget(before: now) }
        let due = try await context.database.read { try ThawQueries($0).due(by: now, limit: archive.limits.requests) }
        var told: Set<DeviceID> = []
        for (account, requests) in Dictionary(grouping: due, by: \.account) {
            let back = BringBack(context: context, archive: archive, account: account)
            // Single blocks come by the thousand: they are brought back together.
            let singles = requests.filter { $0.content.level == 0 }
            if !singles.isEmpty {
                let outcome = try await back(Array(Set(singles.map { BlockID($0.content.digest) })))
                report.blocks += outcome.blocks
                for (fate, group) in Dictionary(grouping: singles, by: { outcome.fate(of: BlockID($0.content.digest)) })
                {
                    try await settle(group, fate, now, &report, &told)
                }
            }
            for (content, group) in Dictionary(grouping: requests.filter { $0.content.level > 0 }, by: \.content) {
                let outcome = try await back(content)
                report.blocks += outcome.blocks
                try await settle(group, outcome.fate, now, &report, &told)
            }
        }
        try await tell(told, at: now)
        report.next = try await context.database.read { try ThawQueries($0).nextReady() }
        return report
    }

    private func settle(
        _ requests: [ThawRequest], _ fate: BringBack.Fate, _ now: Timestamp, _ report: inout Report,
        _ told: inout Set<DeviceID>
    ) async throws {
        let state: ThawRequest.State
        switch fate {
        case .waits(let ready):
            // What could be read by now and was not is tried again a little later.
            let moment = max(ready, now.advanced(by: .seconds(1)))
            try await context.database.write { try ThawQueries($0).expect(requests, at: moment) }
            return
        case .isBack: state = .ready
        case .isDamaged: state = .failed
        }
        let expires = now.advanced(by: context.archive?.policy.keptAfterThaw ?? .zero).advanced(by: .seconds(86_400))
        let ended = try await context.database.write {
            try ThawQueries($0).end(requests, as: state, at: now, until: expires)
        }
        if state == .ready { report.ready += ended.count } else { report.failed += ended.count }
        told.formUnion(ended.map(\.device).filter { $0 != .server })
    }

    /// One entry stands for all that a device waited for: it says to look, not what is there.
    private func tell(_ devices: Set<DeviceID>, at now: Timestamp) async throws {
        guard let queue, !devices.isEmpty else { return }
        let additions = try await context.database.read { connection in
            try devices.sorted().compactMap { device -> QueueAddition? in
                guard let record = try DeviceQueries(connection).byID(device), record.revoked == nil else { return nil }
                let subject = EventSubjectID(high: record.account.high, low: record.account.low)
                return QueueAddition(device, .event(AccountEvent(.restoreReady, subject, at: now)))
            }
        }
        if !additions.isEmpty { try await queue.add(additions, at: now) }
    }
}

/// Copies blocks of an account back from the archive, as far as it is thawed.
struct BringBack: Sendable {
    let context: FilesContext
    let archive: ArchiveTier
    let account: AccountID

    /// What became of something that was asked for.
    enum Fate: Hashable, Sendable {
        /// It waits, until about this moment.
        case waits(Timestamp)
        /// It can be read.
        case isBack
        /// It can be read but for what is damaged.
        case isDamaged
    }

    /// What became of many blocks.
    struct Outcome: Sendable {
        var blocks = 0
        var waiting: [BlockID: Timestamp] = [:]
        var latest: Timestamp?
        var damaged: Set<BlockID> = []

        func fate(of block: BlockID) -> Fate {
            if let moment = waiting[block] { return .waits(moment) }
            return damaged.contains(block) ? .isDamaged : .isBack
        }

        var fate: Fate { latest.map { .waits($0) } ?? (damaged.isEmpty ? .isBack : .isDamaged) }

        mutating func wait(for blocks: some Sequence<StoredBlock>, until moment: Timestamp) {
            for block in blocks { waiting[block.id] = moment }
            latest = max(latest ?? moment, moment)
        }
    }

    /// Brings a whole content back. Which blocks wait is not told, however many there are.
    func callAsFunction(_ content: ContentID) async throws -> Outcome {
        var walk = ContentWalk(context, account: account)
        var total = Outcome()
        do {
            try await walk.visit(content) { blocks in
                let part = try await callAsFunction(blocks)
                total.blocks += part.blocks
                total.damaged.formUnion(part.damaged)
                if let moment = part.latest { total.latest = max(total.latest ?? moment, moment) }
            }
        } catch let error as FilesError where error.code == .corruptData {
            // Its recipe is gone: there is nothing to wait for.
            total.latest = nil
        }
        return total
    }

    /// Brings blocks back.
    func callAsFunction(_ ids: [BlockID]) async throws -> Outcome {
        let account = account
        let rows = try await context.database.read { try BlockQueries($0).locations(ids, account: account) }
        let cold = ids.compactMap { rows[$0] }.filter { $0.tier == .archive }
        var outcome = Outcome()
        if cold.isEmpty { return outcome }
        let states = try await archive.store.thaw(Set(cold.map(\.pack)))
        var thawed: [StoredBlock] = []
        for block in cold {
            switch states[block.pack] {
            case .thawed?: thawed.append(block)
            case .thawing(let ready)?: outcome.wait(for: [block], until: ready)
            case .frozen?: outcome.wait(for: [block], until: context.clock.now())
            case nil: outcome.damaged.insert(block.id)
            }
        }
        for portion in Portions(thawed, bytes: archive.limits.portion) { try await copy(portion, &outcome) }
        return outcome
    }

    private func copy(_ blocks: [StoredBlock], _ outcome: inout Outcome) async throws {
        let records: [(block: StoredBlock, bytes: [UInt8]?)]
        do {
            records = try await ReadRecords(context)(blocks) { try await archive.store.read($0) }
        } catch let error as StorageError where error.code == .frozen {
            // Frozen again between the question and the reading.
            outcome.wait(for: blocks, until: context.clock.now())
            return
        }
        let key = try await context.keys.key(of: account)
        let account = account
        let verified = try await context.workers.map(records.map { ($0.block, $0.bytes) }) { worker, record in
            try worker.verified(record.1, of: record.0, account: account, key: key)
        }
        var good: [(StoredBlock, [UInt8])] = []
        for (record, bytes) in zip(records, verified) {
            if let bytes { good.append((record.block, bytes)) } else { outcome.damaged.insert(record.block.id) }
        }
        if good.isEmpty { return }
        // The same sealed bytes at another place: no nonce is used for anything else.
        let places = try await context.store.append(good.map(\.1))
        let moves = zip(good, places).map { good, place in
            BlockMove(from: good.0, pack: place.pack, offset: place.offset, length: place.length)
        }
        let day = archive.policy.keptDay(at: context.clock.now())
        let count = try await context.database.write {
            try ArchiveQueries($0).bringBack(moves, account: account, keeping: day)
        }
        outcome.blocks += count
        archive.counts.change { $0.broughtBack += count }
    }
}

extension Worker {
    /// The sealed bytes, if they hold the block that they should; nil when they are damaged.
    fileprivate func verified(
        _ record: [UInt8]?, of stored: StoredBlock, account: AccountID, key: AccountKey
    ) throws -> [UInt8]? {
        guard let record else { return nil }
        let sealer = try sealer(for: account, key: key)
        do {
            let block = try record.withUnsafeBytes { try sealer.open($0, expecting: stored.id) }
            _ = try decoder.decode(block)
            return record
        } catch is BlocksError { return nil }
    }
}
