import Model
import Synchronization

/// A store of packs in one or more regions, all of which hold the same bytes at the same places.
///
/// The place of a record is planned once, above the regions: a pack and an offset. A group of records is written to
/// all regions at the same time and acknowledged when each has synced it (or as many as
/// ``PackedStoreConfiguration/minimumCopies`` asks for; what the others then lack is remembered durably before the
/// acknowledgement). Reads ask one region after the other, and what one had damaged is rewritten from the next.
///
/// A pack is written by one process only: after a restart there is a new one.
public final class PackedBlockStore: BlockStore {
    typealias Waiter = CheckedContinuation<Turn, any Error>

    /// What an entry of the queue is resumed with.
    enum Turn: Sendable {
        case lead
        case done([PackLocation])
    }

    /// The pack that grows.
    struct OpenPack: Sendable {
        let id: PackID
        /// Its acknowledged bytes.
        var size: UInt64 = 0
        /// The regions that have all of it.
        var holders: [Int]
    }

    struct State: Sendable {
        var queue: AppendQueue<Waiter>
        var generator: any RandomNumberGenerator & Sendable
        var openPack: OpenPack?
        /// The memory of the last group, for the next one.
        var spare: [UInt8] = []
        /// What must be kept durably.
        var repairs: RepairList
        /// What comparing the regions has found, and will find again.
        var differences: RepairList
        var statistics = StorageStatistics()
        /// Packs that are being copied or removed.
        var busy: Set<PackID> = []
        var isClosed = false
    }

    let regions: [any PackRegion]
    let configuration: PackedStoreConfiguration
    let state: Mutex<State>

    /// What opening the store has found.
    public let recovery: RecoveryReport

    /// In how many regions a record must be durable before it is acknowledged.
    var minimumCopies: Int { min(configuration.minimumCopies ?? regions.count, regions.count) }

    private init(
        regions: [any PackRegion], configuration: PackedStoreConfiguration,
        generator: any RandomNumberGenerator & Sendable, recovered: RegionRecovery
    ) {
        self.regions = regions
        self.configuration = configuration
        recovery = recovered.report
        state = Mutex(
            State(
                queue: AppendQueue(capacity: configuration.queueSize), generator: generator,
                repairs: recovered.repairs, differences: recovered.differences))
    }

    /// Opens a store: makes the regions ready, brings the packs that the last process left unsealed to one length in
    /// all regions, cuts what was torn, and seals them. O(packs), and O(bytes) of the unsealed packs.
    /// - Parameters:
    ///   - regions: The regions in the order in which they are read; at least one.
    ///   - configuration: The limits and the policy.
    ///   - generator: Where the ids of packs come from.
    /// - Returns: The store, ready for use.
    /// - Throws: ``StorageError``: `inUse` when another process has a region, `unavailable` when fewer regions than
    ///   needed for an append can be reached.
    public static func open(
        regions: [any PackRegion], configuration: PackedStoreConfiguration = PackedStoreConfiguration(),
        generator: some RandomNumberGenerator & Sendable = SystemRandomNumberGenerator()
    ) async throws -> PackedBlockStore {
        precondition(!regions.isEmpty, "a store needs a region")
        precondition(Set(regions.map(\.name)).count == regions.count, "two regions have the same name")
        precondition((1...PackFormat.maximumPackSize).contains(configuration.packSize), "no such size of a pack")
        precondition(configuration.groupSize > 0 && configuration.queueSize > 0, "no room for any record")
        precondition(configuration.minimumCopies.map { $0 >= 1 } ?? true, "a record needs at least one copy")
        var recovery = RegionRecovery(regions: regions)
        try await recovery.run(minimumCopies: configuration.minimumCopies ?? regions.count)
        return PackedBlockStore(
            regions: regions, configuration: configuration, generator: generator, recovered: recovery)
    }

    /// What the store has done since it was opened.
    public var statistics: StorageStatistics {
        state.withLock { state in
            var statistics = state.statistics
            statistics.pendingRepairs = state.repairs.entries.union(state.differences.entries).count
            statistics.waitingBytes = state.queue.waitingBytes
            return statistics
        }
    }

    /// All packs that any region holds; a region that fails is left out as long as another answers. O(packs).
    public func packs() async throws -> [PackSummary] {
        try ensureOpen()
        var found: [PackID: PackSummary] = [:]
        var failure: StorageError?
        var answered = false
        for region in regions.indices {
            do {
                for summary in try await call(region, { try await $0.list() }) {
                    found[summary.pack] = summary.joined(with: found[summary.pack])
                }
                answered = true
            } catch { failure = error }
        }
        if let failure, !answered { throw failure }
        let removed = state.withLock { $0.repairs.entries.filter { $0.task == .delete }.map(\.pack) }
        for pack in removed { found[pack] = nil }
        return found.values.sorted { $0.pack < $1.pack }
    }

    /// Writes a few bytes in every region; so many may fail as an append could do without.
    public func check() async throws {
        try ensureOpen()
        let failures = await onRegions(Array(regions.indices)) { try await $0.check() }
        if regions.count - failures.count < minimumCopies { throw failure(of: failures) }
    }

    /// Seals the open pack and lets the regions go, after the appends that were accepted.
    public func close() async throws {
        let wasClosed = state.withLock { state in
            defer { state.isClosed = true }
            return state.isClosed
        }
        if wasClosed { return }
        await exclusively {
            if let pack = state.withLock({ $0.openPack }) { await retire(pack) }
        }
        let failures = await onRegions(Array(regions.indices)) { try await $0.close() }
        if !failures.isEmpty { throw failure(of: failures) }
    }

    /// - Throws: `unavailable` after ``close()``.
    func ensureOpen() throws(StorageError) {
        if state.withLock({ $0.isClosed }) { throw StorageError(.unavailable, "the store is closed") }
    }
}

extension PackSummary {
    /// The one of two regions' summaries that says more: sealed before unsealed, then longer before shorter.
    func joined(with other: PackSummary?) -> PackSummary {
        guard let other else { return self }
        if isSealed != other.isSealed { return isSealed ? self : other }
        return size >= other.size ? self : other
    }
}
