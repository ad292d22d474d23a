import Model
import Synchronization

/// Beginning and ending packs. Everything here runs under the lead.
extension PackedBlockStore {
    /// The open pack when a number of bytes fit into it, else a new one.
    func packWithRoom(for bytes: Int) async throws(StorageError) -> OpenPack {
        if let pack = state.withLock({ $0.openPack }) {
            if pack.size == 0 || pack.size + UInt64(bytes) <= UInt64(configuration.packSize) { return pack }
            await retire(pack)
        }
        return try await beginPack()
    }

    private func beginPack() async throws(StorageError) -> OpenPack {
        let id = state.withLock { state in
            var generator = state.generator
            defer { state.generator = generator }
            return PackID(high: generator.next(), low: generator.next())
        }
        let all = Array(regions.indices)
        let failures = await onRegions(all) { try await $0.create(id) }
        let pack = OpenPack(id: id, holders: all.filter { failures[$0] == nil })
        do throws(StorageError) {
            try await accept(failures, of: id, holders: pack.holders)
        } catch {
            await discard(pack)
            throw error
        }
        state.withLock { state in
            state.openPack = pack
            state.statistics.packsCreated += 1
        }
        return pack
    }

    /// Makes sure that nothing of a failed group is ever taken for something acknowledged.
    ///
    /// After `full` the pack goes on once the torn part is cut off. After any other failure it is unknown what a
    /// later sync of the same pack would be worth, so that pack is never appended to again.
    func withdraw(_ pack: OpenPack, _ failures: [Int: StorageError]) async {
        if failures.values.allSatisfy({ $0.code == .full }) {
            let uncut = await onRegions(pack.holders) { try await $0.truncate(pack.id, to: pack.size) }
            if uncut.isEmpty { return }
        }
        await retire(pack)
    }

    /// Ends a pack at its acknowledged size. A region that fails to seal it is remembered and mended later.
    func retire(_ pack: OpenPack) async {
        state.withLock { $0.openPack = nil }
        if pack.size == 0 {
            await discard(pack)
            return
        }
        let failures = await onRegions(pack.holders) { try await $0.seal(pack.id, at: pack.size) }
        if failures.isEmpty { return }
        remember(failures.keys.map { RepairList.Entry(region: regions[$0].name, pack: pack.id, task: .copy) })
        // Should this fail too, the pack is found unsealed at the next start, which comes to the same.
        try? await persistRepairs(requiring: [])
    }

    /// Removes a pack in which nothing was acknowledged. What stays behind is found empty at the next start.
    private func discard(_ pack: OpenPack) async {
        _ = await onRegions(pack.holders) { try await $0.delete(pack.id) }
        state.withLock { state in
            for entry in state.repairs.entries where entry.pack == pack.id { _ = state.repairs.remove(entry) }
        }
    }

    /// Adds to what regions lack; ``persistRepairs(requiring:)`` makes it durable.
    func remember(_ entries: [RepairList.Entry]) {
        state.withLock { state in
            for entry in entries { _ = state.repairs.insert(entry) }
        }
    }

    /// Writes the list of repairs in every region. Only the leader may do so, or an older list could come last.
    /// - Throws: when one of the required regions fails.
    func persistRepairs(requiring required: [Int]) async throws(StorageError) {
        let bytes = state.withLock { $0.repairs.encoded }
        let failures = await onRegions(Array(regions.indices)) { try await $0.storeNote(bytes, RepairList.noteName) }
        for region in required {
            if let error = failures[region] { throw error }
        }
    }
}
