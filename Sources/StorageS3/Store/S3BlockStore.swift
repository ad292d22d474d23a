import Model
public import Storage
import Synchronization

/// A store of packs in buckets of one or more regions, which any number of processes use at a time.
///
/// Each group of appends becomes a pack of its own, an object that is stored whole in every region at once. Its id is
/// drawn at random, so nobody has to agree with anybody. What a region lacks is noted durably beside the packs, one
/// object for each pack, where every process finds it.
public final class S3BlockStore: MaintainedBlockStore {
    typealias Waiter = CheckedContinuation<Turn, Never>
    typealias Queue = GroupQueue<Waiter>

    /// What a waiting append is resumed with.
    enum Turn: Sendable {
        case lead([Queue.Entry])
        case done(Result<[PackLocation], StorageError>)
    }

    struct State: Sendable {
        var queue: Queue
        var statistics = StorageStatistics()
        /// Notes that this process knows to be there, since when it began to collect them anew: others strike them.
        var noted: Set<RepairNote> = []
        var notedSince = ContinuousClock.now
        /// Packs that this process has removed while some region was away.
        var removed: Set<PackID> = []
        /// Packs that are being repaired or removed here.
        var busy: Set<PackID> = []
        var isClosed = false
        /// Who waits until nothing is being stored.
        var idlers: [CheckedContinuation<Void, Never>] = []
    }

    /// What is remembered only to save requests has these bounds. What another process has repaired may be damaged again,
    /// and is noted again then.
    static let memory = 10_000
    static let memoryAge = Duration.seconds(300)

    /// The regions, in the order in which they were configured.
    public let regions: [S3PackRegion]
    let configuration: S3StoreConfiguration
    let wallClock: any WallClock
    let generator: LockedGenerator
    let clock = ContinuousClock()
    let state: Mutex<State>

    /// In how many regions a pack must be durable before it is acknowledged.
    var minimumCopies: Int { min(configuration.minimumCopies ?? regions.count, regions.count) }

    init(
        regions: [S3PackRegion], configuration: S3StoreConfiguration, wallClock: any WallClock,
        generator: LockedGenerator
    ) {
        self.regions = regions
        self.configuration = configuration
        self.wallClock = wallClock
        self.generator = generator
        state = Mutex(
            State(
                queue: Queue(
                    places: configuration.packsInFlight, limit: configuration.packSize,
                    capacity: configuration.queueSize)))
    }

    /// What the store has done since it was opened. How much the regions lack is as of the last repair, and at least what this
    /// process has noted since.
    public var statistics: StorageStatistics {
        state.withLock { state in
            var statistics = state.statistics
            statistics.waitingBytes = state.queue.pendingBytes
            statistics.pendingRepairs = max(statistics.pendingRepairs, state.noted.count)
            return statistics
        }
    }

    /// Writes a few bytes in every region; so many may fail as an append could do without. Once enough have answered the
    /// others are not waited for: a region that hangs must not make those who ask whether the store is ready hang too.
    public func check() async throws {
        try ensureOpen()
        let (checked, failures) = await withTaskGroup(of: (Int, StorageError?).self) { group in
            for index in regions.indices {
                let region = regions[index]
                group.addTask {
                    do {
                        try await region.check()
                        return (index, nil)
                    } catch { return (index, StorageError(any: error, in: region)) }
                }
            }
            var checked = 0
            var failures: [Int: StorageError] = [:]
            while checked < minimumCopies, let (index, failure) = await group.next() {
                if failure == nil { checked += 1 }
                failures[index] = failure
            }
            group.cancelAll()
            return (checked, failures)
        }
        countFailures(failures)
        if checked < minimumCopies { throw failure(of: failures) }
    }

    /// Waits for the appends that were accepted, and lets the connections go.
    public func close() async throws {
        await withCheckedContinuation { idler in
            let isIdle = state.withLock { state in
                state.isClosed = true
                if !state.queue.isIdle { state.idlers.append(idler) }
                return state.queue.isIdle
            }
            if isIdle { idler.resume() }
        }
        let failures = await onRegions(Array(regions.indices)) { try await $0.close() }
        if !failures.isEmpty { throw failure(of: failures) }
    }

    /// - Throws: `unavailable` after ``close()``.
    func ensureOpen() throws(StorageError) {
        if state.withLock({ $0.isClosed }) { throw StorageError(.unavailable, "the store is closed") }
    }

    // MARK: Calling regions

    /// Calls regions at the same time; answers the failures by region.
    func onRegions(
        _ indices: [Int], _ body: @escaping @Sendable (S3PackRegion) async throws -> Void
    ) async -> [Int: StorageError] {
        await withTaskGroup(of: (Int, StorageError?).self) { group in
            for index in indices {
                let region = regions[index]
                group.addTask {
                    do {
                        try await body(region)
                        return (index, nil)
                    } catch { return (index, StorageError(any: error, in: region)) }
                }
            }
            var failures: [Int: StorageError] = [:]
            for await (index, failure) in group where failure != nil { failures[index] = failure }
            countFailures(failures)
            return failures
        }
    }

    func countFailures(_ failures: [Int: StorageError]) {
        if failures.isEmpty { return }
        state.withLock { state in
            for region in failures.keys { state.statistics.regionFailures[regions[region].name, default: 0] += 1 }
        }
    }

    /// The error to throw when regions have failed: the one that tells an operator most.
    func failure(of failures: [Int: StorageError]) -> StorageError {
        let ordered = failures.sorted { $0.key < $1.key }
        for code in [StorageError.Code.full, .readOnly] {
            if let found = ordered.first(where: { $0.value.code == code }) { return found.value }
        }
        guard let (region, error) = ordered.first else {
            preconditionFailure("a failure needs a region that failed")
        }
        if regions.count == 1 { return error }
        return StorageError(
            .unavailable, "region \(regions[region].name) failed, and \(minimumCopies) copies are required",
            cause: ordered.map(\.value.description).joined(separator: "; "))
    }
}

extension StorageError {
    /// Takes what a region threw for what it is; a foreign error is an `io`.
    init(any error: any Error, in region: S3PackRegion) {
        self =
            error as? StorageError
            ?? StorageError(.io, "region \(region.name) failed", cause: String(describing: error))
    }
}
