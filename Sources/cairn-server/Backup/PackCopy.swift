import Foundation
import Metadata
import Model
import Storage
import StorageLocal

/// Copies packs into a backup, record by record: one that is damaged in a region is taken from another.
struct PackCopy {
    let destination: BackupFolder
    let regions: [any PackRegion]

    /// What came of one pack.
    struct Result {
        let file: HashedFile
        /// The bytes that are in no region as they were written, in order.
        let gaps: [Range<UInt64>]
    }

    /// Copies a pack; one that still grows, up to `end`.
    /// - Returns: what was copied; nil when no region has the pack, or it goes meanwhile.
    /// - Throws: ``StorageError`` when a region can't be read that may have it; ``Failure`` for what can't be written.
    func callAsFunction(_ pack: PackID, _ end: UInt64) async throws -> Result? {
        let (found, failure) = await copies(of: pack)
        let longest = found.map(\.summary.size).max() ?? 0
        if let failure, failure.code != .notFound, longest < end { throw failure }
        if found.isEmpty { return nil }
        let size = max(end, found.filter(\.summary.isSealed).map(\.summary.size).max() ?? 0)
        // What an earlier backup has copied may be whole where all regions are not.
        let former = ReadOnlyPackRegion(directory: destination.region)
        var sources = found.map { (region: $0.region, size: $0.summary.size) }
        if let own = try? await former.find(pack) { sources.append((former, own.size)) }
        let result = try await write(pack, PackMerge(pack: pack, upTo: size, of: sources), size)
        try await former.close()
        if result.gaps.isEmpty { return result }
        // One that was given up while it was read looks like damage.
        let (left, trouble) = await copies(of: pack)
        if left.isEmpty, trouble == nil { return nil }
        return result
    }

    private typealias Copy = (region: any PackRegion, summary: PackSummary)

    /// The regions that have a pack, the sealed copies first, and why one could not tell.
    private func copies(of pack: PackID) async -> ([Copy], failure: StorageError?) {
        var found: [Copy] = []
        var failure: StorageError?
        for region in regions {
            do {
                if let summary = try await region.find(pack) { found.append((region, summary)) }
            } catch {
                failure = error as? StorageError ?? StorageError(.unavailable, "\(region.name): \(error)")
            }
        }
        return (found.filter(\.summary.isSealed) + found.filter { !$0.summary.isSealed }, failure)
    }

    /// Writes what a pack is read as.
    private func write(_ pack: PackID, _ source: PackMerge, _ size: UInt64) async throws -> Result {
        try SafeFiles.makeFolder(destination.folder(of: pack))
        let draft = try FileDraft(destination.pack(pack))
        var source = source
        var gaps = GapList()
        var position: UInt64 = 0
        while let piece = await source.next() {
            if !piece.isIntact {
                // What may be back in a minute is no damage.
                if let failure = source.failures.values.first(where: { $0.code == .unavailable }) { throw failure }
                gaps.add(piece.range)
            }
            try draft.append(piece.bytes)
            position = piece.range.upperBound
        }
        if position < size { gaps.add(position..<size) }
        return Result(file: try draft.finish(), gaps: gaps.ranges)
    }

    /// The bytes of a pack that are not as they were written in the backup's own copy.
    func gapsInCopy(of pack: PackID, upTo end: UInt64) async throws -> [Range<UInt64>] {
        let own = ReadOnlyPackRegion(directory: destination.region)
        var gaps = GapList()
        let size = try await own.find(pack)?.size ?? 0
        var merge = PackMerge(pack: pack, upTo: max(size, end), of: [(own, size)])
        while let piece = await merge.next() {
            if !piece.isIntact { gaps.add(piece.range) }
        }
        if size < end { gaps.add(size..<end) }
        try await own.close()
        return gaps.ranges
    }
}

/// Ranges in ascending order; those that meet are one.
private struct GapList {
    private(set) var ranges: [Range<UInt64>] = []

    mutating func add(_ range: Range<UInt64>) {
        if let last = ranges.last, last.upperBound == range.lowerBound {
            ranges[ranges.count - 1] = last.lowerBound..<range.upperBound
        } else {
            ranges.append(range)
        }
    }
}

extension CheckQueries {
    /// The records that rows name in a pack and that some ranges of it, in order, have a part in. O(rows of the pack).
    func named(
        in pack: PackID, touching gaps: [Range<UInt64>]
    ) throws -> [(account: AccountID, block: StoredBlock)] {
        if gaps.isEmpty { return [] }
        var found: [(account: AccountID, block: StoredBlock)] = []
        var last: (account: AccountID, block: StoredBlock)?
        var open = gaps[...]
        while true {
            let rows = try blocks(in: pack, after: last, limit: 1000)
            for row in rows {
                let place = PackLocation(pack: pack, offset: row.block.offset, length: row.block.length)
                guard let frame = place.frame else {
                    found.append(row)
                    continue
                }
                // The rows are in the order of their places, as the gaps are.
                while let gap = open.first, gap.upperBound <= frame.lowerBound { open.removeFirst() }
                if let gap = open.first, gap.lowerBound < frame.upperBound { found.append(row) }
            }
            guard rows.count == 1000 else { return found }
            last = rows.last
        }
    }
}
