import Metadata
import Model
import Storage

/// Checks the packs of all regions against the rows that name them, and mends one region from another.
struct CheckPacks: Sendable {
    let setting: CheckSetting

    /// What the regions have of one pack.
    struct Copies: Sendable {
        let pack: PackID
        /// By the index of the region.
        var summaries: [Int: PackSummary]
        /// The regions that told what they have.
        let asked: Set<Int>

        /// The copy that the others are measured by: sealed before unsealed, then the longest.
        var best: (region: Int, summary: PackSummary)? {
            summaries.max { left, right in
                (left.value.isSealed ? 1 : 0, left.value.size, -left.key)
                    < (right.value.isSealed ? 1 : 0, right.value.size, -right.key)
            }.map { ($0.key, $0.value) }
        }
    }

    /// Goes through all packs, in the order of their ids. O(packs) memory.
    func callAsFunction() async throws -> PackDamage {
        var damage = PackDamage()
        let listings = try await list()
        let stored = Set(listings.flatMap { $0.value.keys }).sorted()
        var place = 0
        var named = try await namedPack(after: nil)
        while place < stored.count || named != nil {
            let pack = min(named ?? stored[place], place < stored.count ? stored[place] : named ?? stored[place])
            let isNamed = pack == named
            if isNamed {
                let tier = try await setting.database.read { try CheckQueries($0).tier(of: pack) }
                let asked = listings.keys.filter { ($0 == setting.archive) == (tier == .archive) }
                let copies = Copies(
                    pack: pack, summaries: listings.filter { asked.contains($0.key) }.compactMapValues { $0[pack] },
                    asked: Set(asked))
                if tier == .archive, asked.isEmpty {
                    try await tellOutOfReach(pack)
                } else {
                    try await check(copies, &damage)
                }
                named = try await namedPack(after: pack)
            } else {
                tellUnnamed(
                    Copies(pack: pack, summaries: listings.compactMapValues { $0[pack] }, asked: Set(listings.keys)))
            }
            if place < stored.count, stored[place] == pack { place += 1 }
        }
        return damage
    }

    private func namedPack(after pack: PackID?) async throws -> PackID? {
        try await setting.database.read { try CheckQueries($0).namedPack(after: pack) }
    }

    private func list() async throws -> [Int: [PackID: PackSummary]] {
        var listings: [Int: [PackID: PackSummary]] = [:]
        for (index, region) in setting.regions.enumerated() {
            do {
                let packs = try await region.list()
                listings[index] = Dictionary(packs.map { ($0.pack, $0) }) { $0.isSealed ? $0 : $1 }
            } catch {
                var finding = CheckFinding(.region, .unchecked, "region \(region.name) can't be listed: \(error)")
                finding.region = region.name
                setting.tell(finding)
            }
        }
        return listings
    }

    private func tellUnnamed(_ copies: Copies) {
        guard let best = copies.best else { return }
        var finding = CheckFinding(
            .unnamedPack, .note, "no row names pack \(copies.pack) of \(best.summary.size) bytes")
        (finding.pack, finding.bytes) = (copies.pack, best.summary.size)
        setting.tell(finding)
    }

    /// Tells of a pack that lies in an archive which can't be looked at.
    private func tellOutOfReach(_ pack: PackID) async throws {
        setting.count { $0.packs += 1 }
        let count = try await countRows(of: pack)
        var finding = CheckFinding(
            .pack, .unchecked, "pack \(pack) with \(count) blocks lies in the archive, which is not at hand")
        finding.pack = pack
        setting.tell(finding)
    }

    /// Checks one pack that rows name.
    private func check(_ copies: Copies, _ damage: inout PackDamage) async throws {
        setting.count { $0.packs += 1 }
        guard let best = copies.best else {
            damage.lostPacks.insert(copies.pack)
            let count = try await countRows(of: copies.pack)
            var finding = CheckFinding(
                .lostPack, .damage,
                "pack \(copies.pack) is in no region that could be read, and \(count) blocks lie in it")
            finding.pack = copies.pack
            setting.tell(finding)
            return
        }
        if !best.summary.isSealed {
            var finding = CheckFinding(
                .unsealedPack, .note, "pack \(copies.pack) is not sealed: the next start of the server does that")
            finding.pack = copies.pack
            setting.tell(finding)
        }
        let equal = best.summary.isSealed ? await equalise(copies, best) : copies
        try await CheckRecords(setting: setting, copies: equal)(&damage)
    }

    private func countRows(of pack: PackID) async throws -> Int {
        var rows = PackRows(database: setting.database, pack: pack)
        var count = 0
        while case let batch = try await rows.next(), !batch.isEmpty { count += batch.count }
        setting.count { $0.blocks += UInt64(count) }
        return count
    }

    /// Tells of regions that lack the pack, or its end, and gives it to them when that is wanted.
    private func equalise(_ copies: Copies, _ best: (region: Int, summary: PackSummary)) async -> Copies {
        var copies = copies
        for (index, region) in setting.regions.enumerated() where index != best.region && copies.asked.contains(index) {
            let present = copies.summaries[index]
            guard present?.size ?? 0 < best.summary.size || present == nil else { continue }
            // A copy that is still open is mended at the next start, from what both have.
            if let present, !present.isSealed { continue }
            let lack = present.map { "has only \($0.size) of the \(best.summary.size) bytes of" } ?? "lacks"
            var message = "region \(region.name) \(lack) pack \(copies.pack)"
            var weight = CheckFinding.Weight.damage
            if setting.repairs {
                do {
                    copies.summaries[index] = try await complete(
                        copies.pack, present, in: region, from: setting.regions[best.region], best.summary)
                    message += "; it was copied from region \(setting.regions[best.region].name)"
                    weight = .repaired
                } catch {
                    message += "; it can't be copied there: \(error)"
                }
            }
            var finding = CheckFinding(.pack, weight, message)
            (finding.pack, finding.region, finding.bytes) = (
                copies.pack, region.name, best.summary.size - (present?.size ?? 0)
            )
            setting.tell(finding)
        }
        return copies
    }

    /// Copies what a region lacks of a pack. Only bytes beyond its own end are written: nothing that it has gets worse.
    private func complete(
        _ pack: PackID, _ present: PackSummary?, in region: any PackRegion, from source: any PackRegion,
        _ whole: PackSummary
    ) async throws -> PackSummary {
        if present == nil { try await region.create(pack) }
        var position = present?.size ?? 0
        while position < whole.size {
            let range = position..<min(whole.size, position + 4 << 20)
            let bytes = try await source.read(pack, [range]).first ?? []
            guard bytes.count == range.count else {
                throw StorageError(.io, "region \(source.name) gave \(bytes.count) of \(range.count) bytes")
            }
            try await region.write(bytes, to: pack, at: position)
            position = range.upperBound
        }
        try await region.seal(pack, at: whole.size)
        return whole
    }
}
