import Model
public import Storage
import Synchronization

extension S3BlockStore {
    /// Appends records; see ``BlockStore/append(_:)``. Those of one call lie in one pack as far as they fit.
    public func append(_ records: [[UInt8]]) async throws -> [PackLocation] {
        var locations: [PackLocation] = []
        for part in SealedPack.parts(of: records, packSize: configuration.packSize) {
            locations += try await append(together: part)
        }
        return locations
    }

    private func append(together records: [[UInt8]]) async throws(StorageError) -> [PackLocation] {
        let bytes = records.reduce(0) { $0 + SealedPack.frameLength(of: $1) }
        let turn = await withCheckedContinuation { (waiter: Waiter) in
            let turn = state.withLock { state -> Turn? in
                if state.isClosed { return .done(.failure(StorageError(.unavailable, "the store is closed"))) }
                switch state.queue.admit(Queue.Entry(records: records, bytes: bytes, waiter: waiter)) {
                case .lead(let entries): return .lead(entries)
                case .waiting: return nil
                case .refused:
                    state.statistics.refusedAppends += 1
                    return .done(
                        .failure(
                            StorageError(.unavailable, "\(state.queue.pendingBytes) bytes are waiting to be stored")))
                }
            }
            if let turn { waiter.resume(returning: turn) }
        }
        switch turn {
        case .done(let outcome): return try outcome.get()
        case .lead(let entries): return try await unbroken { await self.lead(entries) }.get()
        }
    }

    /// Stores a pack for all who wait for it, and gives the place away. Answers what the first of them gets.
    private func lead(_ entries: [Queue.Entry]) async -> Result<[PackLocation], StorageError> {
        let outcome = await storePack(of: entries.flatMap(\.records))
        let (next, idlers) = state.withLock { state -> ([Queue.Entry]?, [CheckedContinuation<Void, Never>]) in
            state.count(entries, outcome)
            let next = state.queue.finish(entries)
            guard state.queue.isIdle else { return (next, []) }
            defer { state.idlers = [] }
            return (next, state.idlers)
        }
        var rest = (try? outcome.get())?[...] ?? []
        let own = outcome.map { _ in Array(rest.prefix(entries[0].records.count)) }
        rest = rest.dropFirst(entries[0].records.count)
        for entry in entries.dropFirst() {
            entry.waiter.resume(returning: .done(outcome.map { _ in Array(rest.prefix(entry.records.count)) }))
            rest = rest.dropFirst(entry.records.count)
        }
        if let next { next[0].waiter.resume(returning: .lead(next)) }
        for idler in idlers { idler.resume() }
        return own
    }

    private func storePack(of records: [[UInt8]]) async -> Result<[PackLocation], StorageError> {
        let id = generator.draw { PackID(using: &$0) }
        let pack = SealedPack(records, pack: id)
        do throws(StorageError) {
            try await store(pack)
            return .success(pack.locations)
        } catch {
            return .failure(error)
        }
    }

    /// Stores a pack in all regions at once, until there are copies enough and the others have had their time; then
    /// notes what those lack.
    private func store(_ pack: SealedPack) async throws(StorageError) {
        let down = regions.indices.filter { regions[$0].isDown }
        if regions.count - down.count < minimumCopies {
            // Not without a look, if one is due: they may be back.
            let failures = await onRegions(down) { try await $0.reach() }
            if regions.count - failures.count < minimumCopies { throw failure(of: failures) }
        }
        let attempt = await storeEverywhere(pack)
        countFailures(attempt.failures)
        guard attempt.holders.count >= minimumCopies else {
            await withdraw(pack.pack, from: attempt.holders)
            throw failure(of: attempt.failures)
        }
        if attempt.failures.isEmpty { return }
        let notes = attempt.failures.keys.map { RepairNote(task: .copy, region: regions[$0].name, pack: pack.pack) }
        // Wherever the pack is, there the note is too: whatever else is lost, who finds the one finds the other.
        let unnoted = await onRegions(attempt.holders) { region in
            for note in notes { try await region.keep(note) }
        }
        if !unnoted.isEmpty {
            await withdraw(pack.pack, from: attempt.holders)
            throw failure(of: unnoted)
        }
        remember(notes)
    }

    private enum Event: Sendable {
        case answered(region: Int, StorageError?)
        case patienceIsOver
    }

    private func storeEverywhere(_ pack: SealedPack) async -> (holders: [Int], failures: [Int: StorageError]) {
        await withTaskGroup(of: Event.self) { group in
            for index in regions.indices {
                let region = regions[index]
                group.addTask {
                    do throws(StorageError) {
                        try await region.store(pack.pack, pack.bytes)
                        return .answered(region: index, nil)
                    } catch { return .answered(region: index, error) }
                }
            }
            var holders: [Int] = []
            var failures: [Int: StorageError] = [:]
            while holders.count + failures.count < regions.count, let event = await group.next() {
                switch event {
                case .answered(let region, nil):
                    holders.append(region)
                    guard holders.count == minimumCopies else { continue }
                    let (clock, patience) = (clock, configuration.patience)
                    group.addTask {
                        // Cut short, it has no meaning any more.
                        try? await clock.sleep(for: patience)
                        return .patienceIsOver
                    }
                case .answered(let region, let error?): failures[region] = error
                case .patienceIsOver:
                    // Those that are late are ended, and answer with a failure.
                    group.cancelAll()
                }
            }
            group.cancelAll()
            return (holders.sorted(), failures)
        }
    }

    /// Removes what was not acknowledged, as far as that is possible now; the rest is found by nobody's referring to it.
    private func withdraw(_ pack: PackID, from holders: [Int]) async {
        _ = await onRegions(holders) { try await $0.delete(pack) }
    }

    /// Remembers notes, so that they are not written again.
    func remember(_ notes: [RepairNote]) {
        state.withLock { state in
            if state.noted.count > Self.memory { state.noted = [] }
            if state.noted.isEmpty { state.notedSince = clock.now }
            state.noted.formUnion(notes)
        }
    }
}

extension S3BlockStore.State {
    fileprivate mutating func count(
        _ entries: [S3BlockStore.Queue.Entry], _ outcome: Result<[PackLocation], StorageError>
    ) {
        guard case .success(let locations) = outcome else {
            statistics.failedGroups += 1
            return
        }
        statistics.groups += 1
        statistics.packsCreated += 1
        statistics.appendedRecords += UInt64(locations.count)
        statistics.appendedBytes += locations.reduce(0) { $0 + UInt64($1.length) }
    }
}
