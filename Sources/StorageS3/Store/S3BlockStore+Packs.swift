public import Model
public import Storage
import Synchronization

extension S3BlockStore {
    /// All packs that any region holds; a region that fails is left out as long as another answers. O(packs).
    public func packs() async throws -> [PackSummary] {
        try ensureOpen()
        let listings = await list()
        countFailures(listings.failures)
        if listings.failures.count == regions.count { throw failure(of: listings.failures) }
        var found: [PackID: PackSummary] = [:]
        for listing in listings.packs.values {
            for (pack, entry) in listing where (found[pack]?.size ?? 0) <= entry.size {
                found[pack] = PackSummary(pack: pack, size: entry.size, isSealed: true)
            }
        }
        for pack in state.withLock({ $0.removed }) { found[pack] = nil }
        for region in regions where !region.isDown {
            for note in (try? await region.notes(.remove)) ?? [] { found[note.pack] = nil }
        }
        return found.values.sorted { $0.pack < $1.pack }
    }

    /// What a region has of a pack.
    struct Entry: Sendable {
        let size: UInt64
        let modified: Int64?
    }

    /// The packs of all regions, listed at the same time.
    func list() async -> (packs: [Int: [PackID: Entry]], failures: [Int: StorageError]) {
        await withTaskGroup(of: (Int, Result<[PackID: Entry], StorageError>).self) { group in
            for index in regions.indices {
                let region = regions[index]
                group.addTask {
                    do throws(StorageError) {
                        var packs: [PackID: Entry] = [:]
                        try await region.visitPacks { page in
                            for (summary, modified) in page {
                                packs[summary.pack] = Entry(size: summary.size, modified: modified)
                            }
                        }
                        return (index, .success(packs))
                    } catch { return (index, .failure(error)) }
                }
            }
            var packs: [Int: [PackID: Entry]] = [:]
            var failures: [Int: StorageError] = [:]
            for await (index, result) in group {
                switch result {
                case .success(let listing): packs[index] = listing
                case .failure(let error): failures[index] = error
                }
            }
            return (packs, failures)
        }
    }

    /// Reads a whole pack; see ``BlockStore/scan(_:_:)``.
    public func scan(_ pack: PackID, _ visit: @Sendable (PackRecord) throws -> Void) async throws {
        try await scan(pack, pace: { _ in }, visit: visit)
    }

    /// The same at a pace that the caller sets. What is damaged in one region and good in another is noted durably
    /// first and then repaired; a region that can be reached and lacks the pack gets it.
    /// - Parameters:
    ///   - pack: The pack.
    ///   - pace: Is called with the number of bytes each time that about a mebibyte of the pack was read, and may wait.
    ///   - visit: Takes each record in order.
    /// - Throws: as ``scan(_:_:)``, and what `pace` throws.
    public func scan(
        _ pack: PackID, pace: @Sendable (Int) async throws -> Void, visit: @Sendable (PackRecord) throws -> Void
    ) async throws {
        try ensureOpen()
        try await ensureKept(pack)
        let places = try await places(of: pack)
        if places.present.isEmpty {
            throw places.failures.isEmpty
                ? StorageError(.notFound, "no region has pack \(pack)") : failure(of: places.failures)
        }
        var damaged = Set(regions.indices.filter { places.sizes[$0] == nil && places.failures[$0] == nil })
        var altered = 0
        let outcome: Result<Void, any Error>
        do {
            try await walk(pack, places, &damaged, &altered, pace, visit)
            outcome = .success(())
        } catch { outcome = .failure(error) }
        if !damaged.isEmpty {
            // Also when the visitor has had enough: what was found is not lost again.
            try? await note(damaged.sorted(), lack: pack)
            if try await mend(pack, damaged.sorted()) {
                var notes = damaged.map { RepairNote(task: .copy, region: regions[$0].name, pack: pack) }
                let struck = await strike(&notes, in: regions.indices.filter { !regions[$0].isDown })
                state.withLock { state in
                    state.noted.subtract(struck)
                    state.statistics.repairedRecords += UInt64(altered)
                }
            }
        }
        try outcome.get()
    }

    private func walk(
        _ pack: PackID, _ places: Places, _ damaged: inout Set<Int>, _ count: inout Int,
        _ pace: @Sendable (Int) async throws -> Void, _ visit: @Sendable (PackRecord) throws -> Void
    ) async throws {
        let present = places.present
        var scan = PackScan(pack, in: present.map { (region: regions[$0], size: places.sizes[$0] ?? 0) })
        var unpaced = 0
        while let piece = await scan.next() {
            switch piece {
            case .gap(let record, let range):
                unpaced += range.count
                try visit(record)
            case .frame(let record, let bytes, let damagedIn):
                unpaced += bytes.count
                // What could not be read is not damaged.
                let altered = damagedIn.filter { scan.failures[$0].map { $0.code == .io } ?? true }
                damaged.formUnion(altered.map { present[$0] })
                state.withLock { $0.statistics.damagedRecords += UInt64(altered.count) }
                count += altered.count
                if let record { try visit(record) }
            }
            if unpaced >= 1 << 20 {
                try await pace(unpaced)
                unpaced = 0
            }
        }
        if unpaced > 0 { try await pace(unpaced) }
    }

    /// Rewrites one record; see ``BlockStore/repair(_:with:)``.
    public func repair(_ location: PackLocation, with bytes: [UInt8]) async throws {
        try ensureOpen()
        try await ensureKept(location.pack)
        guard let range = location.frame, bytes.count == Int(location.length) else {
            throw StorageError(.corrupt, "\(bytes.count) bytes can't take the place of \(location)")
        }
        var failures: [Int: StorageError] = [:]
        // One region after the other: they are never all being changed at once.
        for index in regions.indices {
            let region = regions[index]
            do throws(StorageError) {
                try await region.rewrite(location.pack) { former throws(StorageError) in
                    guard UInt64(former.count) >= range.upperBound else {
                        throw StorageError(.notFound, "region \(region.name) has no such record: \(location)")
                    }
                    let place = Int(range.lowerBound)..<Int(range.upperBound)
                    let frame = RecordFrame(
                        replacing: RecordFrame(location, bytes: former[place]), with: bytes)
                    var changed = former
                    changed.replaceSubrange(place, with: frame.bytes)
                    return changed == former ? nil : changed
                }
                state.withLock { $0.statistics.repairedRecords += 1 }
            } catch { failures[index] = error }
        }
        countFailures(failures)
        if failures.count == regions.count {
            throw failures.values.allSatisfy { $0.code == .notFound }
                ? failures.values.first ?? failure(of: failures) : failure(of: failures)
        }
        try await note(failures.keys.sorted(), lack: location.pack)
    }

    /// Removes a pack; see ``BlockStore/delete(_:)``.
    public func delete(_ pack: PackID) async throws {
        try ensureOpen()
        guard state.withLock({ $0.busy.insert(pack).inserted }) else {
            throw StorageError(.unavailable, "pack \(pack) is being repaired or removed")
        }
        defer { state.withLock { _ = $0.busy.remove(pack) } }
        let failures = await onRegions(Array(regions.indices)) { try await $0.delete(pack) }
        if failures.isEmpty { return }
        if failures.count == regions.count { throw failure(of: failures) }
        try await keep(failures.keys.map { RepairNote(task: .remove, region: regions[$0].name, pack: pack) })
        state.withLock { state in
            if state.removed.count > Self.memory { state.removed = [] }
            state.removed.insert(pack)
        }
    }

    /// Where a pack lies, and where that could not be found out.
    struct Places: Sendable {
        var sizes: [Int: UInt64] = [:]
        var failures: [Int: StorageError] = [:]
        /// The regions that have it, in order.
        var present: [Int] { sizes.keys.sorted() }
    }

    func places(of pack: PackID) async throws -> Places {
        await withTaskGroup(of: (Int, Result<UInt64?, StorageError>).self) { group in
            for index in regions.indices {
                let region = regions[index]
                group.addTask {
                    do {
                        return (index, .success(try await region.find(pack)?.size))
                    } catch { return (index, .failure(StorageError(any: error, in: region))) }
                }
            }
            var places = Places()
            for await (index, result) in group {
                switch result {
                case .success(let size): places.sizes[index] = size
                case .failure(let error): places.failures[index] = error
                }
            }
            countFailures(places.failures)
            return places
        }
    }
}
