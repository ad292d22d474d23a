import Model
import Storage
import Synchronization

extension S3BlockStore {
    /// Copies to each region the packs that it lacks, and removes those it should not have any more, as far as the
    /// regions can be reached; gives up uploads in parts that nobody completes. To be called now and then, by one
    /// process; two at the same time do nothing worse than work twice.
    /// - Returns: How many packs were brought in order.
    /// - Throws: ``StorageError`` when the store is closed.
    @discardableResult
    public func repairMissing() async throws -> Int {
        try ensureOpen()
        let reachable = await reachableRegions()
        let before = wallClock.now().advanced(by: .zero - configuration.uploadAge).seconds
        for index in reachable { _ = try? await regions[index].abortUploads(before: before) }
        let removals = await notes(.remove, in: reachable)
        let copies = await notes(.copy, in: reachable)
        let doomed = Set(removals.map(\.pack))
        let removed = await settle(removals, reachable) { pack, wanting in
            await self.remove(pack, from: wanting)
        }
        let copied = await settle(copies, reachable) { pack, wanting in
            // What is to be removed is not brought back.
            if doomed.contains(pack) { return true }
            return (try? await self.mend(pack, wanting)) ?? false
        }
        let settled = removed + copied
        state.withLock { state in
            state.noted.subtract(settled)
            state.statistics.pendingRepairs = removals.count + copies.count - settled.count
        }
        return settled.count
    }

    /// Compares the lists of all regions and notes durably where a pack is missing or of another size, so that the next
    /// repair brings it. Finds what was lost without anybody's doing; to be called now and then. O(packs).
    /// - Parameter age: Packs that are younger may be on their way, and are left alone.
    /// - Returns: How many packs were noted.
    /// - Throws: ``StorageError`` when a region can't be listed.
    public func noteDifferences(olderThan age: Duration) async throws -> Int {
        try ensureOpen()
        let listings = await list()
        if !listings.failures.isEmpty { throw failure(of: listings.failures) }
        let before = wallClock.now().advanced(by: .zero - age).seconds
        let removed = Set(await notes(.remove, in: Array(regions.indices)).map(\.pack))
        var largest: [PackID: Entry] = [:]
        for listing in listings.packs.values {
            for (pack, entry) in listing where (largest[pack]?.size ?? 0) <= entry.size { largest[pack] = entry }
        }
        var count = 0
        for (pack, entry) in largest where !removed.contains(pack) && (entry.modified.map { $0 <= before } ?? true) {
            let lacking = regions.indices.filter { listings.packs[$0]?[pack]?.size != entry.size }
            if lacking.isEmpty { continue }
            try await note(lacking, lack: pack)
            count += 1
        }
        return count
    }

    private func reachableRegions() async -> [Int] {
        let failures = await onRegions(Array(regions.indices)) { try await $0.open() }
        return regions.indices.filter { failures[$0] == nil }
    }

    /// The notes of all regions that can be read.
    private func notes(_ task: RepairNote.Task, in reachable: [Int]) async -> Set<RepairNote> {
        var notes: Set<RepairNote> = []
        for index in reachable { notes.formUnion((try? await regions[index].notes(task)) ?? []) }
        return notes
    }

    /// Does what notes say about regions that can be reached, some packs at a time, and takes those off that are done.
    private func settle(
        _ notes: Set<RepairNote>, _ reachable: [Int],
        _ body: @escaping @Sendable (PackID, _ wanting: [Int]) async -> Bool
    ) async -> [RepairNote] {
        let names = Set(reachable.map { regions[$0].name })
        let wanted = Dictionary(grouping: notes.filter { names.contains($0.region) }, by: \.pack)
        return await withTaskGroup(of: (PackID, Bool).self) { group in
            var settled: [RepairNote] = []
            var unstruck: [RepairNote] = []
            for (place, (pack, notes)) in wanted.sorted(by: { $0.key < $1.key }).enumerated() {
                if place >= configuration.repairsInFlight, let (done, isDone) = await group.next(), isDone {
                    unstruck += wanted[done] ?? []
                }
                let wanting = reachable.filter { index in notes.contains { $0.region == regions[index].name } }
                group.addTask { (pack, await body(pack, wanting)) }
                if unstruck.count >= 500 { settled += await strike(&unstruck, in: reachable) }
            }
            for await (done, isDone) in group where isDone { unstruck += wanted[done] ?? [] }
            return settled + (await strike(&unstruck, in: reachable))
        }
    }

    /// Takes notes off in all regions. One that stays somewhere is found settled the next time.
    func strike(_ notes: inout [RepairNote], in reachable: [Int]) async -> [RepairNote] {
        defer { notes = [] }
        if notes.isEmpty { return [] }
        _ = await onRegions(reachable) { [notes] in try await $0.strike(notes) }
        return notes
    }

    private func remove(_ pack: PackID, from wanting: [Int]) async -> Bool {
        let failures = await onRegions(wanting) { try await $0.delete(pack) }
        if failures.isEmpty { state.withLock { _ = $0.removed.remove(pack) } }
        return failures.isEmpty
    }

    /// Makes a pack whole in regions that lack it or have it damaged.
    /// - Returns: Whether nothing is left to be done there.
    func mend(_ pack: PackID, _ wanting: [Int]) async throws -> Bool {
        guard state.withLock({ $0.busy.insert(pack).inserted }) else { return false }
        defer { state.withLock { _ = $0.busy.remove(pack) } }
        let places = try await places(of: pack)
        // Nobody has it: it was removed, or was never acknowledged. Unless somebody could not be asked.
        if places.present.isEmpty { return places.failures.isEmpty }
        let sources = places.present.filter { !wanting.contains($0) } + places.present.filter { wanting.contains($0) }
        let hasTrusted = places.present.contains { !wanting.contains($0) }
        guard hasTrusted || places.failures.isEmpty else { return false }
        let whole = await WholePack(
            reading: pack, from: sources.map { (region: regions[$0], size: places.sizes[$0] ?? 0) })
        // What could not be read may be what is missing elsewhere.
        if !whole.damage.isEmpty, !(places.failures.isEmpty && whole.failures.isEmpty) { return false }
        var isDone = true
        // What was read on the way of regions that were trusted is not passed over.
        let isSure = whole.damage.isEmpty && whole.failures.isEmpty && places.failures.isEmpty
        let others = isSure ? whole.differing.map { sources[$0] }.filter { !wanting.contains($0) } : []
        for index in wanting + others.sorted() {
            let place = sources.firstIndex(of: index)
            if let place, whole.failures[place] != nil || places.failures[index] != nil { isDone = false }
            if let place, !whole.differing.contains(place) { continue }
            do throws(StorageError) {
                if place == nil {
                    try await regions[index].store(pack, whole.bytes)
                } else {
                    try await regions[index].rewrite(pack) { $0 == whole.bytes ? nil : whole.bytes }
                }
                state.withLock { $0.statistics.repairedPacks += 1 }
            } catch {
                countFailures([index: error])
                isDone = false
            }
        }
        return isDone
    }
}
