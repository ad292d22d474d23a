import Model
public import Storage
import Synchronization

extension S3BlockStore {
    /// How many packs one call reads at a time.
    private static let packsAtOnce = 8
    private static let usualHedgeDelay = Duration.milliseconds(200)
    private static let leastHedgeDelay = Duration.milliseconds(20)

    /// Reads one record; see ``BlockStore/read(_:)-(PackLocation)``.
    public func read(_ location: PackLocation) async throws -> [UInt8] { try await read([location])[0] }

    /// Reads many records, several packs at a time; see ``BlockStore/read(_:)-([PackLocation])``.
    public func read(_ locations: [PackLocation]) async throws -> [[UInt8]] {
        try ensureOpen()
        let groups = Dictionary(grouping: locations.indices) { locations[$0].pack }
            .map { pack, indices in (pack, indices.sorted { locations[$0].offset < locations[$1].offset }) }
            .sorted { $0.1[0] < $1.1[0] }
        var payloads = [[UInt8]](repeating: [], count: locations.count)
        try await withThrowingTaskGroup(of: (Int, [[UInt8]]).self) { group in
            var begun = 0
            func begin() {
                let place = begun
                begun += 1
                let (pack, indices) = groups[place]
                group.addTask { (place, try await self.read(pack, indices.map { locations[$0] })) }
            }
            while begun < min(Self.packsAtOnce, groups.count) { begin() }
            while let (place, found) = try await group.next() {
                for (index, payload) in zip(groups[place].1, found) { payloads[index] = payload }
                if begun < groups.count { begin() }
            }
        }
        state.withLock { state in
            state.statistics.readRecords += UInt64(payloads.count)
            state.statistics.readBytes += payloads.reduce(0) { $0 + UInt64($1.count) }
        }
        return payloads
    }

    /// The regions in the order in which they are worth asking: those that are up first, and of those the one that was
    /// configured first, unless another one is known to be much faster.
    var readingOrder: [Int] {
        var order = regions.indices.filter { !regions[$0].isDown }
        for place in order.indices.dropFirst() {
            var current = place
            while current > 0, isMuchFaster(order[current], than: order[current - 1]) {
                order.swapAt(current, current - 1)
                current -= 1
            }
        }
        return order + regions.indices.filter { !order.contains($0) }
    }

    private func isMuchFaster(_ one: Int, than other: Int) -> Bool {
        guard let fast = regions[one].latency, let slow = regions[other].latency else { return false }
        return fast.median * 1.5 < slow.median
    }

    /// How long a read of so many bytes may take before the next region is asked too.
    private func hedgeDelay(of region: Int, bytes: Int) -> Duration {
        if let fixed = configuration.hedgeDelay { return fixed }
        let slow = regions[region].latency.map { max($0.slow, Self.leastHedgeDelay) } ?? Self.usualHedgeDelay
        // Beside the time to the first byte, what 32 MiB a second leave for the rest.
        return slow + .milliseconds(bytes >> 15)
    }

    private enum Event: Sendable {
        case answered(region: Int, RecordsRead.Part, Result<[[UInt8]], StorageError>)
        case isLate
    }

    /// Reads records of one pack: from one region, from the next as well when that takes long, and from the next for
    /// what was missing or damaged.
    private func read(_ pack: PackID, _ locations: [PackLocation]) async throws -> [[UInt8]] {
        try await ensureKept(pack)
        let order = readingOrder
        let bytes = locations.reduce(0) { $0 + Int($1.length) }
        let (clock, delays) = (clock, order.map { hedgeDelay(of: $0, bytes: bytes) })
        let reading = await withTaskGroup(of: Event.self) { group in
            var reading = RecordsRead(locations)
            var begun = 0
            var running = 0
            func begin() {
                let (index, delay, part) = (order[begun], delays[begun], reading.missing)
                let region = regions[index]
                begun += 1
                running += 1
                group.addTask {
                    do {
                        return .answered(region: index, part, .success(try await region.read(pack, part.ranges)))
                    } catch {
                        return .answered(region: index, part, .failure(StorageError(any: error, in: region)))
                    }
                }
                group.addTask {
                    try? await clock.sleep(for: delay)
                    return .isLate
                }
            }
            if !reading.missing.isEmpty { begin() }
            while running > 0, let event = await group.next() {
                switch event {
                case .isLate: break
                case .answered(let region, let part, let result):
                    running -= 1
                    reading.take(result, of: part, from: region)
                }
                if reading.missing.isEmpty { break }
                if begun < order.count { begin() }
            }
            group.cancelAll()
            return reading
        }
        countFailures(
            reading.failures.filter { $0.value.code != .notFound })
        if !reading.isWhole, Task.isCancelled { throw CancellationError() }
        await noteDamage(in: reading, of: pack)
        if let error = reading.error(regions.map(\.name)) { throw try await resolve(error, of: pack) }
        return reading.payloads
    }

    /// - Throws: `notFound` when this process has removed the pack, even though a region that was away may still have it.
    func ensureKept(_ pack: PackID) async throws(StorageError) {
        if state.withLock({ $0.removed.contains(pack) }) {
            throw StorageError(.notFound, "pack \(pack) was removed")
        }
    }

    /// A pack that can't be had from a region that is away may have been removed by another process.
    private func resolve(_ error: StorageError, of pack: PackID) async throws -> StorageError {
        guard error.code == .unavailable else { return error }
        let notes = regions.map { RepairNote(task: .remove, region: $0.name, pack: pack) }
        for region in regions where !region.isDown {
            for note in notes where note.region != region.name {
                if (try? await region.has(note)) == true { return StorageError(.notFound, "pack \(pack) was removed") }
            }
        }
        return error
    }

    /// Notes durably which regions did not have what another had.
    private func noteDamage(in reading: RecordsRead, of pack: PackID) async {
        let damaged = reading.damaged
        if damaged.isEmpty { return }
        state.withLock { $0.statistics.damagedRecords += UInt64(damaged.count) }
        let lacking = Set(damaged.filter { reading.found[$0.record] != nil }.map(\.region)).sorted()
        // Should no region take the note, the next read finds the same again.
        try? await note(lacking, lack: pack)
    }

    /// Notes durably, in at least one region, that regions lack a pack, unless that is known.
    func note(_ lacking: [Int], lack pack: PackID) async throws(StorageError) {
        let all = lacking.map { RepairNote(task: .copy, region: regions[$0].name, pack: pack) }
        let notes = state.withLock { state in
            if state.notedSince + Self.memoryAge < clock.now { state.noted = [] }
            return all.filter { !state.noted.contains($0) }
        }
        if notes.isEmpty { return }
        try await keep(notes)
        remember(notes)
    }

    /// Keeps notes in all regions that can be reached, at least in one.
    func keep(_ notes: [RepairNote]) async throws(StorageError) {
        let failures = await onRegions(Array(regions.indices)) { region in
            for note in notes { try await region.keep(note) }
        }
        if failures.count == regions.count { throw failure(of: failures) }
    }
}
