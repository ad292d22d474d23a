import Model
import Synchronization

extension PackedBlockStore {
    /// Copies to each region the packs that it lacks, and removes those it should not have any more, as far as the
    /// regions can be reached. To be called now and then; it costs nothing when nothing is lacking.
    /// - Returns: How many packs were brought in order.
    /// - Throws: ``StorageError`` when the store is closed, or the list of what is left can't be written.
    @discardableResult
    public func repairMissing() async throws -> Int {
        try ensureOpen()
        let entries = state.withLock { $0.repairs.entries.union($0.differences.entries) }
        if entries.isEmpty { return 0 }
        let reachable = await reachableRegions()
        await endOpenPack(lackedBy: entries.filter { $0.task == .copy && reachable.contains($0.region) })
        var settled: [RepairList.Entry] = []
        let copies = Set(entries.filter { $0.task == .copy }.map(\.pack))
        for entry in entries where entry.task == .delete && reachable.contains(entry.region) {
            if await removeLeftover(entry) { settled.append(entry) }
        }
        for pack in copies.sorted() {
            let wanting = entries.filter { $0.task == .copy && $0.pack == pack && reachable.contains($0.region) }
            if !wanting.isEmpty { settled += await copy(pack, Array(wanting)) }
        }
        try await strikeOff(settled)
        return settled.count
    }

    private func reachableRegions() async -> Set<String> {
        let failures = await onRegions(Array(regions.indices)) { try await $0.open() }
        return Set(regions.indices.filter { failures[$0] == nil }.map { regions[$0].name })
    }

    /// Ends the pack that grows when a region that can be reached lacks it: it gets this one now, and the next one with the
    /// others. It would otherwise go without whatever is written until the pack is full.
    private func endOpenPack(lackedBy entries: Set<RepairList.Entry>) async {
        let packs = Set(entries.map(\.pack))
        guard let open = state.withLock({ $0.openPack }), packs.contains(open.id) else { return }
        await exclusively {
            if let open = state.withLock({ $0.openPack }), packs.contains(open.id) { await retire(open) }
        }
    }

    private func removeLeftover(_ entry: RepairList.Entry) async -> Bool {
        guard let region = regions.firstIndex(where: { $0.name == entry.region }) else { return false }
        return (try? await call(region) { try await $0.delete(entry.pack) }) != nil
    }

    /// Mends a pack in the regions that want it; answers the entries that are settled.
    private func copy(_ pack: PackID, _ wanting: [RepairList.Entry]) async -> [RepairList.Entry] {
        let isFree = state.withLock { state in
            state.openPack?.id != pack && state.busy.insert(pack).inserted
        }
        guard isFree else { return [] }
        defer { state.withLock { _ = $0.busy.remove(pack) } }
        var present: [Int: PackSummary?] = [:]
        for region in regions.indices {
            do { present[region] = .some(try await call(region) { try await $0.find(pack) }) } catch { continue }
        }
        // Without any copy at hand there is nothing to do yet, or, when every region answered, nothing to do at all.
        if present.values.allSatisfy({ $0 == nil }) { return present.count == regions.count ? wanting : [] }
        let names = Set(wanting.map(\.region))
        let rewriting = Set(present.keys.filter { names.contains(regions[$0].name) })
        guard
            present.contains(where: { $0.value != nil && !rewriting.contains($0.key) })
                || present.count == regions.count
        else {
            return []
        }
        let outcome = await PackMender(regions: regions, pack: pack, present: present, rewriting: rewriting).run()
        let mended = wanting.filter { entry in
            rewriting.contains { regions[$0].name == entry.region && outcome.failures[$0] == nil }
        }
        state.withLock { state in
            state.statistics.repairedPacks += UInt64(mended.count)
            state.statistics.repairedRecords += outcome.repairedRecords
        }
        return mended
    }

    private func strikeOff(_ settled: [RepairList.Entry]) async throws(StorageError) {
        if settled.isEmpty { return }
        var failure: StorageError?
        await exclusively {
            let changed = state.withLock { state in
                let before = state.repairs
                for entry in settled {
                    _ = state.repairs.remove(entry)
                    _ = state.differences.remove(entry)
                }
                return state.repairs != before
            }
            guard changed else { return }
            let names = Set(settled.map(\.region))
            let required = regions.indices.filter { names.contains(regions[$0].name) }
            do throws(StorageError) { try await persistRepairs(requiring: required) } catch { failure = error }
        }
        if let failure { throw failure }
    }
}
