public import Model
import Synchronization

extension PackedBlockStore {
    /// Rewrites one record; see ``BlockStore/repair(_:with:)``.
    public func repair(_ location: PackLocation, with bytes: [UInt8]) async throws {
        try ensureOpen()
        try ensureKept(location.pack)
        guard let frame = PackFormat.frame(of: location), bytes.count == Int(location.length) else {
            throw StorageError(.corrupt, "\(bytes.count) bytes can't take the place of \(location)")
        }
        var durable: UInt32 = 0
        var failures: [Int: StorageError] = [:]
        var holders: [Int] = []
        for region in regions.indices {
            do {
                let summary = try await call(region) { try await $0.find(location.pack) }
                guard let summary, summary.size >= frame.upperBound else {
                    throw StorageError(.notFound, "region \(regions[region].name) has no such record: \(location)")
                }
                holders.append(region)
                durable = max(durable, try await durableField(of: location, in: region) ?? 0)
            } catch { failures[region] = StorageError(any: error, in: regions[region]) }
        }
        guard !holders.isEmpty else { throw failures.min { $0.key < $1.key }?.value ?? failure(of: failures) }
        let header = RecordHeader(
            kind: .record, length: location.length, durable: durable, checksum: Checksum.of(bytes))
        let record = header.encoded(pack: location.pack, offset: frame.lowerBound) + bytes
        // One region after the other: a crash leaves at most one copy torn.
        for region in holders {
            do {
                try await call(region) { try await $0.write(record, to: location.pack, at: frame.lowerBound) }
                state.withLock { $0.statistics.repairedRecords += 1 }
            } catch { failures[region] = error }
        }
        let lacking = failures.filter { $0.value.code != .unavailable }.keys.sorted()
        if failures.count == regions.count { throw failure(of: failures) }
        if !lacking.isEmpty { await rememberDurably(lacking, lack: location.pack) }
    }

    /// The watermark of a record whose header is still whole.
    private func durableField(of location: PackLocation, in region: Int) async throws -> UInt32? {
        let offset = location.offset - UInt64(PackFormat.recordHeaderLength)
        let bytes = try await call(region) { try await $0.read(location.pack, [offset..<location.offset]) }
        let header = bytes.first?.withUnsafeBytes { RecordHeader(decoding: $0, pack: location.pack, offset: offset) }
        return header?.durable
    }

    /// Reads a whole pack; see ``BlockStore/scan(_:_:)``.
    public func scan(_ pack: PackID, _ visit: @Sendable (PackRecord) throws -> Void) async throws {
        try await scan(pack, pace: { _ in }, visit: visit)
    }

    /// The same at a pace that the caller sets.
    /// - Parameters:
    ///   - pack: The pack.
    ///   - pace: Is called with the number of bytes each time that about a mebibyte of the pack was read, and may wait.
    ///   - visit: Takes each record in order.
    /// - Throws: as ``scan(_:_:)``, and what `pace` throws.
    public func scan(
        _ pack: PackID, pace: @Sendable (Int) async throws -> Void,
        visit: @Sendable (PackRecord) throws -> Void
    ) async throws {
        try ensureOpen()
        try ensureKept(pack)
        var (walk, present) = try await beginWalk(of: pack)
        var patches: [Int: RegionPatch] = [:]
        for region in present { patches[region] = RegionPatch(region: regions[region], pack: pack) }
        var unpaced = 0
        while let piece = await walk.next() {
            unpaced += piece.byteCount
            if unpaced >= 1 << 20 {
                // What is to be mended is not left undone when the wait is cut short.
                for region in present { await patches[region]?.flush() }
                try await pace(unpaced)
                unpaced = 0
            }
            switch piece {
            case .gap(let range):
                try visit(PackRecord(location: PackLocation(pack: pack, damaged: range), state: .corrupt))
            case .frame(let frame):
                for region in frame.damagedIn { await patches[region]?.write(frame.bytes, at: frame.offset) }
                state.withLock { state in
                    state.statistics.damagedRecords += UInt64(frame.damagedIn.count)
                    state.statistics.repairedRecords += UInt64(frame.damagedIn.count)
                }
                if frame.header.kind == .filler { continue }
                try visit(PackRecord(location: frame.location(in: pack), state: .intact(frame.payload)))
            }
        }
        var lacking: [Int] = []
        for region in patches.keys.sorted() {
            await patches[region]?.flush()
            if patches[region]?.failure != nil { lacking.append(region) }
        }
        if !lacking.isEmpty { await rememberDurably(lacking, lack: pack) }
        if unpaced > 0 { try await pace(unpaced) }
    }

    private func beginWalk(of pack: PackID) async throws(StorageError) -> (PackWalk, present: [Int]) {
        // The open pack is walked up to what was acknowledged when the walk began.
        let open = state.withLock { $0.openPack.flatMap { $0.id == pack ? $0 : nil } }
        var windows: [RegionWindow] = []
        var failure: StorageError?
        for region in readingOrder(of: pack) where open?.holders.contains(region) ?? true {
            do {
                guard let summary = try await call(region, { try await $0.find(pack) }) else { continue }
                let size = min(summary.size, open?.size ?? summary.size)
                windows.append(RegionWindow(index: region, region: regions[region], pack: pack, size: size))
            } catch { failure = error }
        }
        if windows.isEmpty { throw failure ?? StorageError(.notFound, "no region has pack \(pack)") }
        return (PackWalk(windows: windows), windows.map(\.index))
    }

    /// Removes a pack; see ``BlockStore/delete(_:)``.
    public func delete(_ pack: PackID) async throws {
        try ensureOpen()
        guard state.withLock({ $0.busy.insert(pack).inserted }) else {
            throw StorageError(.unavailable, "pack \(pack) is being repaired or removed")
        }
        defer { state.withLock { _ = $0.busy.remove(pack) } }
        var outcome: StorageError?
        await exclusively {
            if let open = state.withLock({ $0.openPack }), open.id == pack { await retire(open) }
            let failures = await onRegions(Array(regions.indices)) { try await $0.delete(pack) }
            outcome = await rememberRemoval(of: pack, failures)
        }
        if let outcome { throw outcome }
    }

    /// Keeps in mind which regions still have a pack that is to go; answers why that was not possible.
    private func rememberRemoval(of pack: PackID, _ failures: [Int: StorageError]) async -> StorageError? {
        let changed = state.withLock { state in
            let before = state.repairs
            for task in [RepairList.Task.copy, .delete] {
                for region in regions.indices where failures[region] == nil {
                    let entry = RepairList.Entry(region: regions[region].name, pack: pack, task: task)
                    _ = state.repairs.remove(entry)
                    _ = state.differences.remove(entry)
                }
            }
            for region in failures.keys {
                let name = regions[region].name
                _ = state.differences.remove(RepairList.Entry(region: name, pack: pack, task: .copy))
                _ = state.repairs.insert(RepairList.Entry(region: name, pack: pack, task: .delete))
            }
            return state.repairs != before
        }
        if failures.count == regions.count { return failure(of: failures) }
        guard changed else { return nil }
        do throws(StorageError) {
            try await persistRepairs(requiring: regions.indices.filter { failures[$0] == nil })
            return nil
        } catch { return error }
    }
}

extension PackWalk.Piece {
    /// How many bytes of the pack it covers.
    fileprivate var byteCount: Int {
        switch self {
        case .frame(let frame): frame.bytes.count
        case .gap(let range): range.count
        }
    }
}

extension PackWalk.Frame {
    /// Where the payload lies.
    fileprivate func location(in pack: PackID) -> PackLocation {
        PackLocation(pack: pack, offset: offset + UInt64(PackFormat.recordHeaderLength), length: header.length)
    }
}

extension PackLocation {
    /// Stands for damaged bytes: as far as can be told the header of a record comes first.
    fileprivate init(pack: PackID, damaged range: Range<UInt64>) {
        let header = min(UInt64(PackFormat.recordHeaderLength), range.upperBound - range.lowerBound)
        self.init(
            pack: pack, offset: range.lowerBound + header,
            length: UInt32(clamping: range.upperBound - range.lowerBound - header))
    }
}
