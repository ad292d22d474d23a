public import Model
public import Storage
import Synchronization

/// An archive in a bucket, under a storage class that is cheap to keep and slow to read.
///
/// A group of appends is a pack, an object of its own. To thaw one is to ask the server for its restoring; how far that is the
/// server tells itself, whoever has asked, so nothing of it can be forgotten here. Only by when it may be expected the server
/// does not say: that is an estimate, of which a note is kept. Besides one process that appends and removes, others may
/// thaw and read.
public final class S3Archive: ArchiveStore {
    struct State: Sendable {
        var ledger = ThawLedger()
        var running = 0
        var isClosed = false
        /// Who waits until nothing is being appended.
        var idlers: [CheckedContinuation<Void, Never>] = []
    }

    /// The bucket.
    public let region: S3PackRegion
    let configuration: S3ArchiveConfiguration
    let clock: any WallClock
    let generator: LockedGenerator
    let state = Mutex(State())

    private init(
        region: S3PackRegion, configuration: S3ArchiveConfiguration, clock: any WallClock, generator: LockedGenerator
    ) {
        self.region = region
        self.configuration = configuration
        self.clock = clock
        self.generator = generator
    }

    /// Opens an archive. A bucket that can't be reached does not keep it from that: then every call fails until it can.
    /// - Parameters:
    ///   - region: The bucket, with the storage class and the mark.
    ///   - configuration: How it is used.
    ///   - clock: What requests are dated by.
    ///   - generator: Where the ids of packs and the jitter of retries come from.
    /// - Returns: The archive, ready for use.
    /// - Throws: ``S3ConfigurationError``.
    public static func open(
        region: S3RegionConfiguration, configuration: S3ArchiveConfiguration = S3ArchiveConfiguration(),
        clock: any WallClock, generator: some RandomNumberGenerator & Sendable
    ) async throws(S3ConfigurationError) -> S3Archive {
        try configuration.validate()
        let archive = S3Archive(
            region: try region.makeRegion(wallClock: clock, generator: generator), configuration: configuration,
            clock: clock, generator: LockedGenerator(generator))
        await archive.learn()
        return archive
    }

    /// Takes over what any process has noted of when packs may be expected.
    func learn() async {
        guard let bytes = try? await region.loadNote(ThawLedger.noteName), let ledger = ThawLedger(decoding: bytes)
        else { return }
        state.withLock { $0.ledger = ledger }
    }

    /// Appends records.
    public func append(_ records: [[UInt8]]) async throws -> [PackLocation] {
        try begin()
        defer { end() }
        var locations: [PackLocation] = []
        for part in SealedPack.parts(of: records, packSize: configuration.packSize) {
            let pack = SealedPack(part, pack: generator.draw { PackID(using: &$0) })
            try await region.store(pack.pack, pack.bytes)
            locations += pack.locations
        }
        return locations
    }

    /// Reads records of thawed packs.
    public func read(_ locations: [PackLocation]) async throws -> [[UInt8]] {
        try ensureOpen()
        var payloads = [[UInt8]](repeating: [], count: locations.count)
        let packs = Dictionary(grouping: locations.indices) { locations[$0].pack }
        for (pack, places) in packs.sorted(by: { $0.key < $1.key }) {
            let ordered = places.sorted { locations[$0].offset < locations[$1].offset }
            let found = try await read(pack, ordered.map { locations[$0] })
            for (place, payload) in zip(ordered, found) { payloads[place] = payload }
        }
        return payloads
    }

    private func read(_ pack: PackID, _ locations: [PackLocation]) async throws -> [[UInt8]] {
        var reading = RecordsRead(locations)
        let part = reading.missing
        do {
            reading.take(.success(try await region.read(pack, part.ranges)), of: part, from: 0)
        } catch let error as StorageError {
            // The server refuses what is frozen, and what it refuses otherwise it refuses alike.
            if error.code == .unavailable, try await state(of: [pack])[pack]?.isThawed == false {
                throw StorageError(.frozen, "pack \(pack) of the archive is not thawed")
            }
            reading.take(.failure(error), of: part, from: 0)
        }
        if let error = reading.error([region.name]) { throw error }
        return reading.payloads
    }

    /// All packs.
    public func packs() async throws -> [PackSummary] {
        try ensureOpen()
        return try await region.list()
    }

    /// Removes a pack.
    public func delete(_ pack: PackID) async throws {
        try ensureOpen()
        try await region.delete(pack)
        let now = clock.now()
        await note { $0.forget(pack, at: now) }
    }

    /// Writes a few bytes.
    public func check() async throws {
        try ensureOpen()
        try await region.check()
    }

    /// Ends the archive.
    public func close() async throws {
        await withCheckedContinuation { idler in
            let isIdle = state.withLock { state in
                state.isClosed = true
                if state.running > 0 { state.idlers.append(idler) }
                return state.running == 0
            }
            if isIdle { idler.resume() }
        }
        try await region.close()
    }

    // MARK: Its state

    func ensureOpen() throws(StorageError) {
        if state.withLock({ $0.isClosed }) { throw StorageError(.unavailable, "the archive is closed") }
    }

    private func begin() throws(StorageError) {
        let isClosed = state.withLock { state in
            if !state.isClosed { state.running += 1 }
            return state.isClosed
        }
        if isClosed { throw StorageError(.unavailable, "the archive is closed") }
    }

    private func end() {
        let idlers = state.withLock { state in
            state.running -= 1
            defer { if state.running == 0 { state.idlers = [] } }
            return state.running == 0 ? state.idlers : []
        }
        for idler in idlers { idler.resume() }
    }

    /// Changes what is known of when packs may be expected. A note that can't be written costs an estimate.
    func note(_ body: (inout ThawLedger) -> Void) async {
        let changed = state.withLock { state -> [UInt8]? in
            let before = state.ledger
            body(&state.ledger)
            return state.ledger == before ? nil : state.ledger.encoded
        }
        if let changed { try? await region.storeNote(changed, ThawLedger.noteName) }
    }
}
