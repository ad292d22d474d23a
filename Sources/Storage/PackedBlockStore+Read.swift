import Model
import Synchronization

extension PackedBlockStore {
    /// Reads one record; see ``BlockStore/read(_:)-(PackLocation)``.
    public func read(_ location: PackLocation) async throws -> [UInt8] {
        try await read([location])[0]
    }

    /// Reads many records; see ``BlockStore/read(_:)-([PackLocation])``.
    public func read(_ locations: [PackLocation]) async throws -> [[UInt8]] {
        try ensureOpen()
        var payloads = [[UInt8]](repeating: [], count: locations.count)
        let byPack = Dictionary(grouping: locations.indices) { locations[$0].pack }
        for (pack, indices) in byPack {
            let ordered = indices.sorted { locations[$0].offset < locations[$1].offset }
            var reading = RecordReading(pack: pack, locations: ordered.map { locations[$0] })
            let found = try await read(&reading)
            for (place, payload) in zip(ordered, found) { payloads[place] = payload }
        }
        state.withLock { state in
            state.statistics.readRecords += UInt64(payloads.count)
            state.statistics.readBytes += UInt64(payloads.reduce(0) { $0 + $1.count })
        }
        return payloads
    }

    /// Asks the regions one after the other for what is still missing, then mends those that failed.
    private func read(_ reading: inout RecordReading) async throws(StorageError) -> [[UInt8]] {
        try ensureKept(reading.pack)
        for region in readingOrder(of: reading.pack) {
            let ranges = reading.missingRanges
            if ranges.isEmpty { break }
            do {
                let pack = reading.pack
                reading.take(try await call(region) { try await $0.read(pack, ranges) }, from: region)
            } catch {
                reading.fail(error, in: region)
            }
        }
        if !reading.damage.isEmpty { await mend(reading) }
        if let error = reading.error(regions.map(\.name)) { throw error }
        return reading.payloads
    }

    /// - Throws: `notFound` when the pack was removed, even though a region that is away may still have it.
    func ensureKept(_ pack: PackID) throws(StorageError) {
        let isRemoved = state.withLock { $0.repairs.entries.contains { $0.pack == pack && $0.task == .delete } }
        if isRemoved { throw StorageError(.notFound, "pack \(pack) was removed") }
    }

    /// The regions in their order, those last that are known to lack the pack.
    func readingOrder(of pack: PackID) -> [Int] {
        let lacking = state.withLock {
            $0.repairs.entries.isEmpty && $0.differences.entries.isEmpty
                ? [] : $0.repairs.regions(lacking: pack).union($0.differences.regions(lacking: pack))
        }
        if lacking.isEmpty { return Array(regions.indices) }
        return regions.indices.filter { !lacking.contains(regions[$0].name) }
            + regions.indices.filter { lacking.contains(regions[$0].name) }
    }

    /// Rewrites in the regions that had a record damaged what another one had whole; a region that lacks the pack,
    /// or its end, is remembered and gets it whole later.
    private func mend(_ reading: RecordReading) async {
        var lacking: Set<Int> = []
        for damage in reading.damage {
            state.withLock { $0.statistics.damagedRecords += 1 }
            guard let frame = reading.frame(damage.record) else { continue }
            switch damage.kind {
            case .unreachable: continue
            case .absent: lacking.insert(damage.region)
            case .altered:
                do {
                    try await call(damage.region) {
                        try await $0.write(frame.bytes, to: reading.pack, at: frame.offset)
                    }
                    state.withLock { $0.statistics.repairedRecords += 1 }
                } catch { lacking.insert(damage.region) }
            }
        }
        if !lacking.isEmpty { await rememberDurably(lacking.sorted(), lack: reading.pack) }
    }

    /// Remembers that regions lack a pack, unless that is known.
    func rememberDurably(_ lacking: [Int], lack pack: PackID) async {
        let entries = lacking.map { RepairList.Entry(region: regions[$0].name, pack: pack, task: .copy) }
        let isNew = state.withLock { !$0.repairs.entries.isSuperset(of: entries) }
        guard isNew else { return }
        await exclusively {
            remember(entries)
            // Should no region take the note, the next read finds the same again.
            try? await persistRepairs(requiring: [])
        }
    }
}
