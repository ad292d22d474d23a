import Logging
import Metadata
import Model
import Storage

/// Looks through the packs: removes those that nothing refers to, and empties those of which little is in use.
struct TidyPacks: Sendable {
    let turn: CollectionTurn

    /// - Throws: ``CollectionSuperseded``, and what the database throws. What the store can't do now is left for later.
    func run(_ report: inout CollectionReport) async throws {
        var packs = try await turn.context.store.packs()
        if !turn.isDry { packs = try await removeDoomed(packs, &report) }
        let uses = try await survey(packs)
        let emptied = try await compact(CompactionPlan(uses, turn.limits).packs, &report)
        try await doom(uses, emptied, &report)
        report.storedBytes = uses.reduce(turn.isDry ? 0 : report.bytesCopied) { $0 + $1.pack.size }
        report.liveBytes = uses.reduce(0) { $0 + $1.use.bytes }
    }

    // MARK: Removing

    /// Removes the packs that have waited, and those whose removal was begun.
    /// - Returns: the packs that are left.
    private func removeDoomed(_ packs: [PackSummary], _ report: inout CollectionReport) async throws -> [PackSummary] {
        let now = turn.context.clock.now()
        let present = Dictionary(packs.map { ($0.pack, $0) }, uniquingKeysWith: { first, _ in first })
        var removed: Set<PackID> = []
        var forgotten: [PackID] = []
        for doomed in try await turn.read({ try CollectionQueries($0).doomed() }) {
            if !doomed.isGoing {
                guard doomed.since <= now.advanced(by: .zero - turn.limits.packWindow) else { continue }
                let isToGo = try await turn.write { try CollectionQueries($0).decide(on: doomed.pack, at: now) }
                guard isToGo else { continue }
            }
            if let summary = present[doomed.pack] {
                if try await remove(summary, &report) { removed.insert(doomed.pack) }
            } else if doomed.isGoing, doomed.since <= now.advanced(by: .zero - turn.limits.memory) {
                forgotten.append(doomed.pack)
            }
        }
        if !forgotten.isEmpty {
            try await turn.write { [forgotten] in try CollectionQueries($0).forget(forgotten) }
        }
        return packs.filter { !removed.contains($0.pack) }
    }

    /// Removes a pack that no row may refer to. That it is so is known by its row, which stays: the pack may come back
    /// with a region that was away, and goes again then.
    private func remove(_ pack: PackSummary, _ report: inout CollectionReport) async throws -> Bool {
        let use = try await turn.read { try CollectionQueries($0).use(of: pack.pack) }
        guard use.records == 0 else {
            // Can't be; but should it be, nothing is worth a lost block.
            fail("a pack that is to be removed is in use", pack.pack, "\(use.records) records", &report)
            return false
        }
        do {
            try await turn.context.store.delete(pack.pack)
        } catch let error as StorageError {
            turn.context.log.warning(
                "a pack can't be removed now", metadata: ["pack": "\(pack.pack)", "cause": "\(error)"])
            return false
        }
        report.packsRemoved += 1
        report.bytesFreed += pack.size
        return true
    }

    // MARK: Looking

    private func survey(_ packs: [PackSummary]) async throws -> [UsedPack] {
        var uses: [UsedPack] = []
        for pack in packs {
            let use = try await turn.read { try CollectionQueries($0).use(of: pack.pack) }
            uses.append(UsedPack(pack: pack, use: use))
        }
        return uses
    }

    /// Dooms the sealed packs that nothing refers to: those that were found so, and those that were emptied since.
    private func doom(_ uses: [UsedPack], _ emptied: Set<PackID>, _ report: inout CollectionReport) async throws {
        let empty = uses.filter { $0.pack.isSealed && ($0.use.records == 0 || emptied.contains($0.pack.pack)) }
            .map(\.pack.pack)
        guard !empty.isEmpty, !turn.isDry else {
            report.packsDoomed += empty.count
            return
        }
        let known = Set(try await turn.read { try CollectionQueries($0).doomed() }.map(\.pack))
        let fresh = empty.filter { !known.contains($0) }
        report.packsDoomed += empty.count - fresh.count
        guard !fresh.isEmpty else { return }
        let now = turn.context.clock.now()
        report.packsDoomed += try await turn.write { try CollectionQueries($0).doom(fresh, at: now) }
    }

    // MARK: Compacting

    /// - Returns: the packs that were emptied.
    private func compact(_ packs: [UsedPack], _ report: inout CollectionReport) async throws -> Set<PackID> {
        var emptied: Set<PackID> = []
        for pack in packs {
            if turn.isDry {
                report.packsCompacted += 1
                report.bytesCopied += pack.use.bytes
                continue
            }
            do {
                let copied = try await CompactPack(turn: turn, pack: pack.pack.pack).run()
                if copied.bytes > 0 { report.packsCompacted += 1 }
                report.bytesCopied += copied.bytes
                for location in copied.damaged {
                    fail("a record can't be copied", pack.pack.pack, "\(location)", &report)
                }
                report.damagedRecords += copied.damaged.count
                if copied.damaged.isEmpty { emptied.insert(pack.pack.pack) }
            } catch let error as StorageError {
                // The disk is full or a region is away: what is left is done in the next run.
                turn.context.log.warning(
                    "a pack can't be compacted now", metadata: ["pack": "\(pack.pack.pack)", "cause": "\(error)"])
                break
            }
        }
        return emptied
    }

    private func fail(_ what: String, _ pack: PackID, _ cause: String, _ report: inout CollectionReport) {
        turn.context.log.error("\(what)", metadata: ["pack": "\(pack)", "cause": "\(cause)"])
        report.failures.append("\(what): pack \(pack), \(cause)")
    }
}
