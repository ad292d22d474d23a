import Metadata
import Model
import Storage

/// A pack, and how much of it is in use.
struct UsedPack: Sendable {
    let pack: PackSummary
    let use: PackUse

    /// The bytes in use with what frames them, which a copy needs too.
    var framedBytes: UInt64 { use.bytes + UInt64(use.records) * Self.recordFrame + Self.packFrame }

    /// The bytes that a copy would do without.
    var garbage: UInt64 { pack.size - min(pack.size, framedBytes) }

    /// What part of the pack is in use.
    var share: Double { 1 - Double(garbage) / Double(max(1, pack.size)) }

    /// The header of a record, and that of a pack: docs/format-packs.md.
    private static let recordFrame: UInt64 = 24
    private static let packFrame: UInt64 = 32
}

/// Which packs are worth to be copied: as few as it takes, those first of which the least is in use.
struct CompactionPlan {
    /// The packs to copy, in order.
    let packs: [UsedPack]

    /// Plans for what there is. The pack that grows is left out, and packs without anything in use, which go by
    /// themselves.
    init(_ uses: [UsedPack], _ limits: CollectionLimits) {
        let candidates = uses.filter { $0.pack.isSealed && $0.use.records > 0 }
        let live = candidates.reduce(0.0) { $0 + Double($1.framedBytes) }
        var stored = candidates.reduce(0.0) { $0 + Double($1.pack.size) }
        guard stored > live * limits.mostStored else {
            packs = []
            return
        }
        var chosen: [UsedPack] = []
        for pack in candidates.sorted(by: { ($0.share, $0.pack.pack) < ($1.share, $1.pack.pack) }) {
            guard stored > live * limits.targetStored, pack.garbage > 0 else { break }
            stored -= Double(pack.garbage)
            chosen.append(pack)
        }
        packs = chosen
    }
}
