public import Model
import Synchronization

/// An archive on regions that could be read at once: what it has of an archive is the rule, not the slowness.
///
/// Records lie in packs of a ``PackedBlockStore``, so they are as durable and as well checked as hot ones. Beside them
/// the first region keeps a note of which packs were asked for. Should that note be damaged, nothing is lost but the asking.
public final class ThawingArchive: ArchiveStore {
    /// How the archive behaves.
    public struct Pace: Hashable, Sendable {
        /// How long a thaw takes: none by default.
        public var delay: Duration
        /// For how long a pack can then be read: a day by default.
        public var period: Duration

        /// Makes a pace.
        public init(delay: Duration = .zero, period: Duration = .seconds(86_400)) {
            precondition(delay >= .zero && period > .zero, "time goes forward")
            self.delay = delay
            self.period = period
        }
    }

    private let base: PackedBlockStore
    private let notes: any PackRegion
    private let clock: any WallClock
    private let pace: Pace
    private let ledger: Mutex<ThawLedger>

    /// Whether the note of what was asked for was damaged when the archive was opened.
    public let hasForgotten: Bool

    /// What opening the packs has found.
    public var recovery: RecoveryReport { base.recovery }

    private init(
        base: PackedBlockStore, notes: any PackRegion, clock: any WallClock, pace: Pace, ledger: ThawLedger?
    ) {
        self.base = base
        self.notes = notes
        self.clock = clock
        self.pace = pace
        hasForgotten = ledger == nil
        self.ledger = Mutex(ledger ?? ThawLedger())
    }

    /// Opens an archive; see ``PackedBlockStore/open(regions:configuration:generator:)``.
    /// - Parameters:
    ///   - regions: where the packs lie; the first also keeps the note.
    ///   - configuration: the limits of the packs.
    ///   - pace: how slow the archive makes itself.
    ///   - clock: says what time it is.
    ///   - generator: where the ids of packs come from.
    /// - Returns: The archive, ready for use.
    /// - Throws: ``StorageError``: `inUse` when another process has a region, `unavailable` when one can't be reached.
    public static func open(
        regions: [any PackRegion], configuration: PackedStoreConfiguration = PackedStoreConfiguration(),
        pace: Pace = Pace(), clock: any WallClock, generator: some RandomNumberGenerator & Sendable
    ) async throws -> ThawingArchive {
        let base = try await PackedBlockStore.open(
            regions: regions, configuration: configuration, generator: generator)
        let note = try await regions[0].loadNote(ThawLedger.noteName)
        return ThawingArchive(
            base: base, notes: regions[0], clock: clock, pace: pace,
            ledger: note.map { ThawLedger(decoding: $0) } ?? ThawLedger())
    }

    /// Appends records.
    public func append(_ records: [[UInt8]]) async throws -> [PackLocation] { try await base.append(records) }

    /// Asks that packs be thawed.
    @discardableResult
    public func thaw(_ packs: Set<PackID>) async throws -> [PackID: ThawState] {
        let present = try await self.present(packs)
        let now = clock.now()
        try await change { ledger in
            for pack in present { ledger.ask(for: pack, at: now, delay: pace.delay, period: pace.period) }
        }
        return states(of: present)
    }

    /// How things stand with packs.
    public func state(of packs: Set<PackID>) async throws -> [PackID: ThawState] {
        states(of: try await present(packs))
    }

    /// Reads records of thawed packs.
    public func read(_ locations: [PackLocation]) async throws -> [[UInt8]] {
        try base.ensureOpen()
        let packs = Set(locations.map(\.pack))
        for (pack, state) in states(of: try await present(packs)) where !state.isThawed {
            throw StorageError(.frozen, "pack \(pack) of the archive is not thawed")
        }
        return try await base.read(locations)
    }

    /// All packs.
    public func packs() async throws -> [PackSummary] { try await base.packs() }

    /// Removes a pack.
    public func delete(_ pack: PackID) async throws {
        try await base.delete(pack)
        let now = clock.now()
        try await change { $0.forget(pack, at: now) }
    }

    /// Writes a few bytes.
    public func check() async throws { try await base.check() }

    /// Ends the archive.
    public func close() async throws { try await base.close() }

    private func present(_ packs: Set<PackID>) async throws -> Set<PackID> {
        if packs.isEmpty { return [] }
        return packs.intersection(try await base.packs().map(\.pack))
    }

    private func states(of packs: Set<PackID>) -> [PackID: ThawState] {
        let now = clock.now()
        return ledger.withLock { ledger in
            Dictionary(uniqueKeysWithValues: packs.map { ($0, ledger.state(of: $0, at: now)) })
        }
    }

    /// Changes the ledger, durably: what could not be written down was not asked for.
    private func change(_ body: (inout ThawLedger) -> Void) async throws {
        var failure: (any Error)?
        // One after the other, or an older note could come last.
        await base.exclusively {
            let before = ledger.withLock { $0 }
            var after = before
            body(&after)
            guard after != before else { return }
            do {
                try await notes.storeNote(after.encoded, ThawLedger.noteName)
                ledger.withLock { $0 = after }
            } catch { failure = error }
        }
        if let failure { throw failure }
    }
}
