import Blocks
import Metadata
import Model
import Storage

/// Checks the records of one pack in all regions that have it.
struct CheckRecords: Sendable {
    let setting: CheckSetting
    let copies: CheckPacks.Copies

    /// A row, and why one region can't give its block.
    struct Fault: Sendable {
        let block: OwnedBlock
        let cause: String
    }

    /// A row and what lies at its place.
    private struct Found: Sendable {
        let block: OwnedBlock
        let frame: RecordFrame?
        let key: AccountKey?
    }

    /// Where the reading of a region has come to.
    private struct Progress: Sendable {
        var rows: PackRows
        var waiting: ArraySlice<OwnedBlock> = []
        var reader: PackReader
    }

    /// How many bytes are read before the workers get them.
    private static let groupSize = 8 << 20

    func callAsFunction(_ damage: inout PackDamage) async throws {
        try await countUnnamedBytes()
        var faults: [Int: [OwnedBlock.Key: Fault]] = [:]
        for (region, summary) in copies.summaries.sorted(by: { $0.key < $1.key }) {
            faults[region] =
                setting.isFull ? try await readAll(region, summary) : try await compareSizes(region, summary)
        }
        let concerned = Dictionary(faults.values.flatMap { $0 }) { first, _ in first }
        for (key, fault) in concerned.sorted(by: { $0.value.block.block.offset < $1.value.block.block.offset }) {
            let bad = faults.filter { $0.value[key] != nil }.keys.sorted()
            let good = faults.filter { $0.value[key] == nil }.keys.sorted()
            if good.isEmpty {
                let cause = faults.sorted { $0.key < $1.key }.compactMap { $0.value[key]?.cause }.first ?? fault.cause
                damage.lostBlocks[key] = cause
                tell(.block, .damage, fault.block, nil, "no region can give it: \(cause)")
            } else {
                for region in bad {
                    await settle(fault.block, faults[region]?[key]?.cause ?? fault.cause, in: region, from: good)
                }
            }
        }
    }

    // MARK: What the rows say

    /// Counts the rows, and the bytes between them.
    private func countUnnamedBytes() async throws {
        var rows = PackRows(database: setting.database, pack: copies.pack)
        var position = PackLocation.firstFrame
        var unnamed: UInt64 = 0
        while case let batch = try await rows.next(), !batch.isEmpty {
            setting.count { $0.blocks += UInt64(batch.count) }
            for row in batch {
                guard let frame = row.block.location.frame else { continue }
                if frame.lowerBound > position { unnamed += frame.lowerBound - position }
                position = max(position, frame.upperBound)
            }
        }
        let end = copies.best?.summary.size ?? 0
        if end > position { unnamed += end - position }
        guard unnamed > 0 else { return }
        var finding = CheckFinding(
            .unnamedBytes, .note, "no row names \(unnamed) of the \(end) bytes of pack \(copies.pack)")
        (finding.pack, finding.bytes) = (copies.pack, unnamed)
        setting.tell(finding)
    }

    /// The rows that lie beyond the end of a region's copy, or where no record can lie.
    private func compareSizes(_ region: Int, _ summary: PackSummary) async throws -> [OwnedBlock.Key: Fault] {
        var faults: [OwnedBlock.Key: Fault] = [:]
        var rows = PackRows(database: setting.database, pack: copies.pack)
        while case let batch = try await rows.next(), !batch.isEmpty {
            for row in batch where (row.block.location.frame?.upperBound ?? .max) > summary.size {
                faults[row.key] = Fault(
                    block: row,
                    cause: "\(row.block.location) are not within the \(summary.size) bytes that region "
                        + "\(setting.regions[region].name) has")
            }
        }
        return faults
    }

    // MARK: Reading everything

    /// Reads every record that a row names, and opens it. While the workers look at one group the next is read.
    private func readAll(_ region: Int, _ summary: PackSummary) async throws -> [OwnedBlock.Key: Fault] {
        var faults: [OwnedBlock.Key: Fault] = [:]
        let start = Progress(
            rows: PackRows(database: setting.database, pack: copies.pack),
            reader: PackReader(region: setting.regions[region], pack: summary))
        var (group, progress) = try await gather(start)
        while !group.isEmpty {
            let (read, position) = (group, progress)
            async let next = gather(position)
            for fault in try await verify(read) { faults[fault.block.key] = fault }
            (group, progress) = try await next
        }
        return faults
    }

    private func gather(_ start: Progress) async throws -> ([Found], Progress) {
        var (progress, found, bytes) = (start, [Found](), 0)
        while bytes < Self.groupSize {
            if progress.waiting.isEmpty { progress.waiting = try await progress.rows.next()[...] }
            guard let row = progress.waiting.popFirst() else { break }
            let frame = await progress.reader.frame(at: row.block.location)
            bytes += frame?.bytes.count ?? 0
            found.append(Found(block: row, frame: frame, key: setting.keys[row.account]))
        }
        let read = UInt64(bytes)
        setting.count { $0.verifiedBytes += read }
        return (found, progress)
    }

    private func verify(_ group: [Found]) async throws -> [Fault] {
        try await setting.workers.map(group) { worker, found -> Fault? in
            BlockVerification.fault(found.frame, of: found.block, key: found.key, worker)
                .map { Fault(block: found.block, cause: $0) }
        }.compactMap { $0 }
    }

    // MARK: Mending

    /// Tells of a record that one region has not whole, and writes it there when that is wanted.
    private func settle(_ block: OwnedBlock, _ cause: String, in region: Int, from good: [Int]) async {
        let names = good.map { setting.regions[$0].name }.joined(separator: ", ")
        guard setting.repairs else {
            tell(.record, .damage, block, region, "\(cause); region \(names) has it")
            return
        }
        do {
            let source = try await mend(block, in: region, from: good)
            tell(.record, .repaired, block, region, "\(cause); it was written anew from region \(source)")
        } catch {
            tell(.record, .damage, block, region, "\(cause); it can't be mended: \(error)")
        }
    }

    /// Writes a record from a region that has it. It is read again and verified right before, and read back after.
    /// - Returns: the name of the region that it came from.
    private func mend(_ block: OwnedBlock, in region: Int, from good: [Int]) async throws -> String {
        var failure: (any Error)?
        for source in good {
            guard let frame = await frame(of: block, in: source), try await isWhole(frame, block) else { continue }
            do {
                try await setting.regions[region].write(Array(frame.bytes), to: copies.pack, at: frame.offset)
                if let written = await self.frame(of: block, in: region), try await isWhole(written, block) {
                    return setting.regions[source].name
                }
            } catch { failure = error }
        }
        throw failure ?? StorageError(.io, "what was written there is not what is read back")
    }

    private func frame(of block: OwnedBlock, in region: Int) async -> RecordFrame? {
        guard let summary = try? await setting.regions[region].find(copies.pack) else { return nil }
        var reader = PackReader(region: setting.regions[region], pack: summary)
        return await reader.frame(at: block.block.location)
    }

    private func isWhole(_ frame: RecordFrame, _ block: OwnedBlock) async throws -> Bool {
        let key = setting.keys[block.account]
        return try await setting.workers.run { worker in
            BlockVerification.fault(frame, of: block, key: key, worker) == nil
        }
    }

    private func tell(
        _ kind: CheckFinding.Kind, _ weight: CheckFinding.Weight, _ block: OwnedBlock, _ region: Int?, _ what: String
    ) {
        let place = region.map { " in region \(setting.regions[$0].name)" } ?? ""
        var finding = CheckFinding(
            kind, weight, "block \(block.block.id), \(block.block.location)\(place): \(what)")
        (finding.account, finding.block, finding.pack) = (block.account, block.block.id, block.block.pack)
        (finding.offset, finding.region) = (block.block.offset, region.map { setting.regions[$0].name })
        setting.tell(finding)
    }
}
