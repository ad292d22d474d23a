import Model

/// What a store does before it takes the first call: it finds out what the regions hold and mends what a crash left.
struct RegionRecovery: Sendable {
    let regions: [any PackRegion]
    private(set) var report = RecoveryReport()
    /// What has to be remembered durably.
    private(set) var repairs = RepairList()
    /// Where sealed packs differ between regions.
    private(set) var differences = RepairList()

    /// The packs of each region that could be reached.
    private var listings: [Int: [PackID: PackSummary]] = [:]

    init(regions: [any PackRegion]) {
        self.regions = regions
    }

    /// Does it.
    mutating func run(minimumCopies: Int) async throws(StorageError) {
        try await openRegions(minimumCopies: minimumCopies)
        try await loadRepairs()
        try await listPacks()
        let known = repairs
        for pack in unsealedPacks() { await mend(pack) }
        compareSealedPacks()
        if repairs != known { try await persist() }
    }

    private mutating func openRegions(minimumCopies: Int) async throws(StorageError) {
        report.missingRegions = [:]
        let failures = await regions.each(Array(regions.indices)) { try await $0.open() }
        for (index, failure) in failures.sorted(by: { $0.key < $1.key }) {
            // Someone else writes there: going on with the others would make two truths of one store.
            if failure.code == .inUse { throw failure }
            report.missingRegions[regions[index].name] = failure
        }
        let copies = min(minimumCopies, regions.count)
        if let first = failures.min(by: { $0.key < $1.key }), regions.count - failures.count < copies {
            throw StorageError(
                .unavailable, "region \(regions[first.key].name) can't be opened, and \(copies) copies are required",
                cause: first.value.description)
        }
        for index in regions.indices where failures[index] == nil { listings[index] = [:] }
    }

    private mutating func loadRepairs() async throws(StorageError) {
        for index in listings.keys.sorted() {
            do {
                guard let bytes = try await regions[index].loadNote(RepairList.noteName) else { continue }
                guard let list = RepairList(decoding: bytes) else {
                    throw StorageError(
                        .corrupt, "the list of repairs in region \(regions[index].name) is damaged",
                        cause: "without it the packs of the regions are compared by their sizes only")
                }
                repairs.formUnion(list)
            } catch { throw StorageError(any: error, in: regions[index]) }
        }
    }

    private mutating func listPacks() async throws(StorageError) {
        for index in listings.keys.sorted() {
            do {
                for summary in try await regions[index].list() { listings[index]?[summary.pack] = summary }
            } catch { throw StorageError(any: error, in: regions[index]) }
        }
    }

    private func unsealedPacks() -> [PackID] {
        let unsealed = listings.values.flatMap { $0.values.filter { !$0.isSealed }.map(\.pack) }
        return Set(unsealed).subtracting(removedPacks).sorted()
    }

    /// Packs that were deleted while some region was away.
    private var removedPacks: Set<PackID> {
        Set(repairs.entries.filter { $0.task == .delete }.map(\.pack))
    }

    private mutating func mend(_ pack: PackID) async {
        let present = listings.mapValues { $0[pack] }
        let lacking = repairs.regions(lacking: pack)
        let mender = PackMender(
            regions: regions, pack: pack, present: present,
            rewriting: Set(present.keys.filter { lacking.contains(regions[$0].name) }))
        let outcome = await mender.run()
        report.examinedPacks += 1
        report.tornTails += outcome.tornTails
        report.coveredBytes += outcome.coveredBytes
        report.damage += outcome.damage
        for index in regions.indices {
            let entry = RepairList.Entry(region: regions[index].name, pack: pack, task: .copy)
            if outcome.size != nil, present[index] != nil, outcome.failures[index] == nil {
                _ = repairs.remove(entry)
                listings[index]?[pack] = outcome.size.map { PackSummary(pack: pack, size: $0, isSealed: true) }
            } else if outcome.size != nil {
                _ = repairs.insert(entry)
            } else {
                listings[index]?[pack] = nil
            }
        }
    }

    /// A region whose sealed pack is missing or shorter gets it from the others; one that kept what the others have
    /// removed loses it.
    private mutating func compareSealedPacks() {
        let removed = removedPacks
        var sizes: [PackID: UInt64] = [:]
        for listing in listings.values {
            for summary in listing.values where summary.isSealed {
                sizes[summary.pack] = max(sizes[summary.pack] ?? 0, summary.size)
            }
        }
        for (index, listing) in listings {
            for pack in removed where listing[pack] != nil {
                _ = repairs.insert(RepairList.Entry(region: regions[index].name, pack: pack, task: .delete))
            }
            for (pack, size) in sizes where listing[pack]?.size != size && !removed.contains(pack) {
                _ = differences.insert(RepairList.Entry(region: regions[index].name, pack: pack, task: .copy))
            }
        }
    }

    private func persist() async throws(StorageError) {
        let bytes = repairs.encoded
        let failures = await regions.each(listings.keys.sorted()) {
            try await $0.storeNote(bytes, RepairList.noteName)
        }
        if let failure = failures.min(by: { $0.key < $1.key })?.value { throw failure }
    }
}
