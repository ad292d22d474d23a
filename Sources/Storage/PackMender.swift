import Model

/// Makes a pack that is no longer written whole, equal and sealed in all regions: after a crash, and where a region
/// has missed writes. Each record is taken from the first region that has it.
struct PackMender: Sendable {
    /// What mending came to.
    struct Outcome: Sendable {
        /// The size the pack has now; nil when it held no record and was removed.
        var size: UInt64?
        var tornTails: [RecoveryReport.TornTail] = []
        var coveredBytes: UInt64 = 0
        var damage: [RecoveryReport.Damage] = []
        /// Records rewritten, over all regions.
        var repairedRecords: UInt64 = 0
        /// The regions that could not be mended.
        var failures: [Int: StorageError] = [:]
    }

    /// The whole records of a pack, and what lies between them.
    private struct Survey {
        var end: UInt64 = 0
        /// Everything before was acknowledged.
        var durable: UInt64 = 0
        var gaps: [Range<UInt64>] = []
        /// Failures to read.
        var failures: [Int: StorageError] = [:]
    }

    let regions: [any PackRegion]
    let pack: PackID
    /// What the regions that can be reached have of the pack; nil for one that has nothing.
    let present: [Int: PackSummary?]
    /// Regions whose bytes are not to be trusted: every record is written there anew.
    var rewriting: Set<Int> = []

    /// The size at which some trusted region has sealed the pack. All before was acknowledged; there may be more, in
    /// a region that could not be reached when the others were mended.
    private var sealedSize: UInt64? {
        present.filter { !rewriting.contains($0.key) }.compactMap(\.value).filter(\.isSealed).map(\.size).max()
    }

    /// Does it. O(bytes of the pack).
    func run() async -> Outcome {
        var outcome = Outcome()
        var patches = await beginPatches(&outcome)
        let survey = await copy(into: &patches, &outcome)
        // What could not be read may be whole: then nothing is cut, and the pack stays as it is.
        if !survey.failures.isEmpty, !survey.gaps.isEmpty {
            outcome.failures.merge(survey.failures) { first, _ in first }
            return outcome
        }
        guard sealedSize != nil || survey.end > 0 else {
            await remove(&outcome)
            return outcome
        }
        let size = max(sealedSize ?? 0, survey.end)
        await settleGaps(survey, size: size, into: &patches, &outcome)
        for (index, patch) in patches {
            if let failure = patch.failure { outcome.failures[index] = failure }
        }
        await finish(size, &outcome)
        return outcome
    }

    /// One patch for each region; a region that lacks the pack gets an empty one first.
    private func beginPatches(_ outcome: inout Outcome) async -> [Int: RegionPatch] {
        let absent = present.filter { $0.value == nil }.keys.sorted()
        outcome.failures = await regions.each(absent) { [pack] in try await $0.create(pack) }
        var patches: [Int: RegionPatch] = [:]
        for index in present.keys where outcome.failures[index] == nil {
            patches[index] = RegionPatch(region: regions[index], pack: pack)
        }
        return patches
    }

    /// Trusted regions first, sealed before unsealed: where regions differ, the first one decides.
    private func windows() -> [RegionWindow] {
        present.compactMap { index, summary in summary.map { (index, $0) } }
            .sorted { left, right in
                func rank(_ one: (Int, PackSummary)) -> Int {
                    (rewriting.contains(one.0) ? 2 : 0) + (one.1.isSealed ? 0 : 1)
                }
                return (rank(left), left.0) < (rank(right), right.0)
            }
            .map { index, summary in
                RegionWindow(index: index, region: regions[index], pack: pack, size: summary.size)
            }
    }

    private func copy(into patches: inout [Int: RegionPatch], _ outcome: inout Outcome) async -> Survey {
        var survey = Survey()
        var walk = PackWalk(windows: windows())
        while let piece = await walk.next() {
            switch piece {
            case .gap(let range): survey.gaps.append(range)
            case .frame(let frame):
                survey.end = frame.end
                survey.durable = max(survey.durable, UInt64(frame.header.durable))
                let missing = patches.keys.filter { index in
                    rewriting.contains(index) || frame.damagedIn.contains(index) || (present[index] ?? nil) == nil
                }
                for index in missing {
                    await patches[index]?.write(frame.bytes, at: frame.offset)
                    outcome.repairedRecords += 1
                }
            }
        }
        survey.failures = walk.failures
        return survey
    }

    /// Tells what was acknowledged and is lost from what a crash has torn, and covers the latter.
    private func settleGaps(
        _ survey: Survey, size: UInt64, into patches: inout [Int: RegionPatch], _ outcome: inout Outcome
    ) async {
        for gap in survey.gaps where gap.lowerBound < size {
            let isAcknowledged = gap.lowerBound < max(sealedSize ?? 0, survey.durable)
            let length = gap.count - PackFormat.recordHeaderLength
            if isAcknowledged || length < 0 {
                outcome.damage.append(RecoveryReport.Damage(pack: pack, range: gap))
                continue
            }
            let filler = RecordHeader(
                kind: .filler, length: UInt32(length), durable: UInt32(gap.lowerBound), checksum: 0)
            // Zeros, so that the regions are equal again. A gap is no longer than the group that was torn.
            let bytes = filler.encoded(pack: pack, offset: gap.lowerBound) + [UInt8](repeating: 0, count: length)
            for index in patches.keys { await patches[index]?.write(bytes, at: gap.lowerBound) }
            outcome.coveredBytes += UInt64(gap.count)
        }
        for index in patches.keys {
            await patches[index]?.flush()
            await patches[index]?.write(PackFormat.packHeader(pack), at: 0)
            await patches[index]?.flush()
        }
    }

    /// Cuts and seals.
    private func finish(_ size: UInt64, _ outcome: inout Outcome) async {
        let healthy = present.keys.filter { outcome.failures[$0] == nil }.sorted()
        let failures = await regions.each(healthy) { [pack] in try await $0.seal(pack, at: size) }
        outcome.failures.merge(failures) { first, _ in first }
        outcome.size = size
        for index in healthy where failures[index] == nil { reportTail(of: index, kept: size, &outcome) }
    }

    private func remove(_ outcome: inout Outcome) async {
        let failures = await regions.each(present.keys.sorted()) { [pack] in try await $0.delete(pack) }
        outcome.failures.merge(failures) { first, _ in first }
        for index in present.keys.sorted() where failures[index] == nil { reportTail(of: index, kept: 0, &outcome) }
    }

    private func reportTail(of index: Int, kept: UInt64, _ outcome: inout Outcome) {
        guard let summary = present[index] ?? nil, summary.size > kept else { return }
        outcome.tornTails.append(
            RecoveryReport.TornTail(region: regions[index].name, pack: pack, kept: kept, cut: summary.size - kept))
    }
}
