import CoreMetrics
public import Logging
public import Metadata
public import Model
public import Storage
import Synchronization

/// Reads the packs of a running server slowly, one after the other, for ever, so that what rots is found while another
/// region still has it.
///
/// Each pack is read in all regions; what is damaged in one and whole in another is rewritten. How far it has come is
/// kept in the database, so that a restart goes on where it was.
public struct ScrubPacks: Sendable {
    /// Under which name the place is kept: the id of the pack that was read last.
    static let work = "scrub"
    /// The least that a pack takes, so that a small server does not read the same few bytes over and over.
    static let leastTime = Duration.seconds(60)

    private let database: any MetadataDatabase
    private let store: any MaintainedBlockStore
    private let clock: any WallClock
    private let rate: Int
    private let pause: @Sendable (Duration) async throws -> Void
    private let log: Logger
    private let metrics = ScrubMetrics()

    /// Makes the use case.
    /// - Parameters:
    ///   - database: where the place is kept, and the rows that name blocks.
    ///   - store: whose packs are read.
    ///   - clock: for when the place was kept.
    ///   - rate: how many bytes of packs are read in a second; each region that has them reads as many.
    ///   - pause: waits.
    ///   - log: where damage is told.
    public init(
        database: any MetadataDatabase, store: any MaintainedBlockStore, clock: any WallClock, rate: Int,
        pause: @escaping @Sendable (Duration) async throws -> Void, log: Logger
    ) {
        precondition(rate > 0, "a scrub that reads nothing never ends")
        self.database = database
        self.store = store
        self.clock = clock
        self.rate = rate
        self.pause = pause
        self.log = log
    }

    /// Reads the next pack, from the first one again behind the last.
    /// - Returns: the pack; nil when there is none at all.
    /// - Throws: what the database and `pause` throw. A pack that can't be read is logged, and passed over.
    @discardableResult
    public func next() async throws -> PackID? {
        let place = try await database.read { try WorkProgressQueries($0).value(of: Self.work) }.flatMap {
            PackID(bytes: $0)
        }
        let packs = try await store.packs().filter(\.isSealed).map(\.pack)
        let following = packs.first { pack in place.map { pack > $0 } ?? true }
        guard let pack = following ?? packs.first else { return nil }
        if following == nil { metrics.passes.increment() }
        let waited = await scrub(pack)
        try await pause(max(.zero, Self.leastTime - waited))
        try Task.checkCancellation()
        let now = clock.now()
        try await database.write { try WorkProgressQueries($0).set(pack.bytes, of: Self.work, at: now) }
        metrics.packs.increment()
        metrics.position.record(Double(pack.high) / Double(UInt64.max))
        return pack
    }

    /// Reads a pack; answers how long that was made to take.
    private func scrub(_ pack: PackID) async -> Duration {
        let damaged = Mutex<[PackLocation]>([])
        let waited = Mutex(Duration.zero)
        let before = store.statistics.repairedRecords
        do {
            try await store.scan(pack) { bytes in
                metrics.bytes.increment(by: bytes)
                let time = Duration.nanoseconds(Int64(bytes) * 1_000_000_000 / Int64(rate))
                waited.withLock { $0 += time }
                try await pause(time)
            } visit: { record in
                if record.state == .corrupt { damaged.withLock { $0.append(record.location) } }
            }
        } catch is CancellationError {
            return waited.withLock { $0 }
        } catch let error as StorageError where error.code == .notFound {
            return .zero  // It was removed meanwhile.
        } catch {
            log.error("a pack could not be read", metadata: ["pack": "\(pack)", "cause": "\(error)"])
        }
        let repaired = store.statistics.repairedRecords - before
        if repaired > 0 {
            metrics.repaired.increment(by: Int64(clamping: repaired))
            log.warning(
                "records were damaged in one region and rewritten from another",
                metadata: ["pack": "\(pack)", "records": "\(repaired)"])
        }
        for place in damaged.withLock({ $0 }) { await tell(place) }
        return waited.withLock { $0 }
    }

    /// Tells of bytes that no region has as they were written; what no row names is no loss.
    private func tell(_ place: PackLocation) async {
        do {
            // A pack that was removed while it was read looks like damage.
            guard try await store.packs().contains(where: { $0.pack == place.pack }) else { return }
            let end = place.offset + UInt64(place.length)
            let blocks = try await database.read { connection in
                try CheckQueries(connection).blocks(in: place.pack, after: nil, limit: .max)
                    .filter { $0.block.offset < end && $0.block.offset + UInt64($0.block.length) > place.offset }
            }
            for (account, block) in blocks {
                metrics.damaged.increment()
                log.error(
                    "a stored block is damaged, and no good copy is left",
                    metadata: ["account": "\(account)", "block": "\(block.id)", "place": "\(block.location)"])
            }
            if blocks.isEmpty {
                log.notice("bytes that no row names are damaged", metadata: ["place": "\(place)"])
            }
        } catch {
            log.error("damage could not be looked up", metadata: ["place": "\(place)", "cause": "\(error)"])
        }
    }
}

/// What the scrub counts, under names that dashboards rely on.
private struct ScrubMetrics: Sendable {
    /// How often it came to the end and began anew.
    let passes = Counter(label: "cairn_scrub_passes_total")
    /// Packs that were read.
    let packs = Counter(label: "cairn_scrub_packs_total")
    /// Bytes of packs that were read.
    let bytes = Counter(label: "cairn_scrub_bytes_total")
    /// Records that were rewritten from another region.
    let repaired = Counter(label: "cairn_scrub_repaired_records_total")
    /// Blocks that no region has whole any more.
    let damaged = Counter(label: "cairn_scrub_damaged_blocks_total")
    /// How much of the present pass is done, from 0 to 1.
    let position = Gauge(label: "cairn_scrub_position")
}
