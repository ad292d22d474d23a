import Model
import StorageConformance
import StorageLocal
import Synchronization
import TestSupport
import Testing

@testable import Storage

@Suite("Archives")
struct ArchiveTests {
    private static let pace = ThawingArchive.Pace(delay: .seconds(3600), period: .seconds(86_400))
    private let clock = ManualClock()

    private func bench(
        _ open: @escaping @Sendable (ManualClock) async throws -> any ArchiveStore
    ) -> ArchiveStoreConformance.Bench {
        let clock = clock
        return ArchiveStoreConformance.Bench(
            open: { try await open(clock) }, now: { clock.now() }, passThaw: { clock.advance(by: Self.pace.delay) },
            passPeriod: { clock.advance(by: Self.pace.period) })
    }

    @Test("a directory keeps the contract", arguments: ArchiveStoreConformance.checks)
    func directory(check: ArchiveStoreConformance.Check) async throws {
        let directory = TemporaryDirectory()
        let seeds = Mutex<UInt64>(1)
        try await check.run(
            bench { clock in
                let seed = seeds.withLock { seed in
                    seed += 1
                    return seed
                }
                return try await LocalArchive.open(
                    directory: directory.path, pace: Self.pace, clock: clock, generator: SeededGenerator(seed: seed))
            })
    }

    @Test("regions in memory keep the contract", arguments: ArchiveStoreConformance.checks)
    func memory(check: ArchiveStoreConformance.Check) async throws {
        let disk = MemoryDisk()
        let seeds = Mutex<UInt64>(100)
        try await check.run(
            bench { clock in
                let seed = seeds.withLock { seed in
                    seed += 1
                    return seed
                }
                return try await ThawingArchive.open(
                    regions: [MemoryPackRegion(disk: disk)], pace: Self.pace, clock: clock,
                    generator: SeededGenerator(seed: seed))
            })
    }

    private func open(_ region: any PackRegion, seed: UInt64 = 1) async throws -> ThawingArchive {
        try await ThawingArchive.open(
            regions: [region], pace: Self.pace, clock: clock, generator: SeededGenerator(seed: seed))
    }

    @Test("without a delay a pack can be read as soon as it was asked for, and not before")
    func noDelay() async throws {
        let archive = try await ThawingArchive.open(
            regions: [MemoryPackRegion()], clock: clock, generator: SeededGenerator(seed: 1))
        let place = try await archive.append([[1, 2, 3]])[0]
        await #expect(throws: StorageError(.frozen, "")) { try await archive.read([place]) }
        #expect(try await archive.thaw([place.pack])[place.pack]?.isThawed == true)
        #expect(try await archive.read([place]) == [[1, 2, 3]])
        try await archive.close()
    }

    @Test("what could not be written down was not asked for, and can be asked for again")
    func failedNote() async throws {
        let region = FaultyPackRegion(MemoryPackRegion(), seed: 1)
        let archive = try await open(region)
        let place = try await archive.append([[1]])[0]
        region.plan.refusedChanges = 1
        await #expect(throws: StorageError.self) { try await archive.thaw([place.pack]) }
        #expect(try await archive.state(of: [place.pack]) == [place.pack: .frozen])
        region.plan.refusedChanges = 0
        let ready = clock.now().advanced(by: Self.pace.delay)
        #expect(try await archive.thaw([place.pack]) == [place.pack: .thawing(ready: ready)])
        try await archive.close()
    }

    @Test("a damaged note costs the asking and nothing else")
    func damagedNote() async throws {
        let region = MemoryPackRegion()
        let first = try await open(region)
        let place = try await first.append([[1, 2]])[0]
        try await first.thaw([place.pack])
        #expect(!first.hasForgotten)
        try await first.close()
        var note = try #require(try await region.loadNote(ThawLedger.noteName))
        note[10] ^= 1
        try await region.open()
        try await region.storeNote(note, ThawLedger.noteName)
        let second = try await open(region, seed: 2)
        #expect(second.hasForgotten)
        #expect(try await second.state(of: [place.pack]) == [place.pack: .frozen])
        try await second.thaw([place.pack])
        clock.advance(by: Self.pace.delay)
        #expect(try await second.read([place]) == [[1, 2]])
        try await second.close()
    }
}

@Suite("The ledger of thaws")
struct ThawLedgerTests {
    private let start = Timestamp(nanoseconds: 1_000_000_000_000)
    private let packs = (1...3).map { PackID(high: $0, low: 7) }

    private func ask(_ ledger: inout ThawLedger, _ pack: PackID, _ seconds: Int64) {
        ledger.ask(
            for: pack, at: start.advanced(by: .seconds(seconds)), delay: .seconds(10), period: .seconds(100))
    }

    private func state(_ ledger: ThawLedger, _ pack: PackID, _ seconds: Int64) -> ThawState {
        ledger.state(of: pack, at: start.advanced(by: .seconds(seconds)))
    }

    @Test("goes from frozen over thawing to thawed and back, by the clock alone")
    func course() {
        var ledger = ThawLedger()
        #expect(state(ledger, packs[0], 0) == .frozen)
        ask(&ledger, packs[0], 0)
        let (ready, end) = (start.advanced(by: .seconds(10)), start.advanced(by: .seconds(110)))
        #expect(state(ledger, packs[0], 9) == .thawing(ready: ready))
        #expect(state(ledger, packs[0], 10) == .thawed(until: end))
        #expect(state(ledger, packs[0], 109) == .thawed(until: end))
        #expect(state(ledger, packs[0], 110) == .frozen)
        #expect(state(ledger, packs[1], 10) == .frozen)
    }

    @Test("a thaw is renewed when its end is near, and not at every question")
    func renewal() {
        var ledger = ThawLedger()
        ask(&ledger, packs[0], 0)
        let first = ledger
        ask(&ledger, packs[0], 5)
        ask(&ledger, packs[0], 20)
        #expect(ledger == first)
        ask(&ledger, packs[0], 90)
        #expect(state(ledger, packs[0], 91) == .thawed(until: start.advanced(by: .seconds(190))))
        ask(&ledger, packs[0], 500)
        #expect(state(ledger, packs[0], 501) == .thawing(ready: start.advanced(by: .seconds(510))))
    }

    @Test("forgets what is removed and what is frozen again")
    func forgetting() {
        var ledger = ThawLedger()
        ask(&ledger, packs[0], 0)
        ask(&ledger, packs[1], 50)
        ask(&ledger, packs[2], 50)
        ledger.forget(packs[2], at: start.advanced(by: .seconds(120)))
        #expect(Set(ledger.entries.keys) == [packs[1]])
    }

    @Test("is read back as it was written, and every damage to a byte is seen")
    func bytes() {
        var ledger = ThawLedger()
        #expect(ThawLedger(decoding: ledger.encoded) == ledger)
        for (index, pack) in packs.enumerated() { ask(&ledger, pack, Int64(index) * 7) }
        let bytes = ledger.encoded
        #expect(ThawLedger(decoding: bytes) == ledger)
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] ^= 0x40
            #expect(ThawLedger(decoding: damaged) == nil, "byte \(index)")
        }
        for count in 0..<bytes.count { #expect(ThawLedger(decoding: Array(bytes.prefix(count))) == nil) }
        #expect(ThawLedger(decoding: bytes + [0]) == nil)
    }
}
