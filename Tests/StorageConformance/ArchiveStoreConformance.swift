public import Model
public import Storage
import TestSupport

/// What every archive must do. A backend's test opens a fresh archive for each check and runs it.
public struct ArchiveStoreConformance: Sendable {
    /// An archive whose time a check can move.
    public struct Bench: Sendable {
        /// Opens the archive over what the former one has left; the former one is closed by then.
        public let open: @Sendable () async throws -> any ArchiveStore
        /// The present moment.
        public let now: @Sendable () -> Timestamp
        /// Lets the time pass that a thaw takes.
        public let passThaw: @Sendable () async throws -> Void
        /// Lets the time pass after which what was thawed is frozen again.
        public let passPeriod: @Sendable () async throws -> Void

        /// Makes a bench of its parts.
        public init(
            open: @escaping @Sendable () async throws -> any ArchiveStore, now: @escaping @Sendable () -> Timestamp,
            passThaw: @escaping @Sendable () async throws -> Void,
            passPeriod: @escaping @Sendable () async throws -> Void
        ) {
            self.open = open
            self.now = now
            self.passThaw = passThaw
            self.passPeriod = passPeriod
        }
    }

    /// One promise of the contract.
    public struct Check: Sendable, CustomStringConvertible {
        /// The promise as a sentence.
        public let description: String
        let body: @Sendable (Bench) async throws -> Void

        /// Tries it with a backend.
        /// - Throws: ``ConformanceFailure`` when it is not kept, and whatever the archive throws unasked.
        public func run(_ bench: Bench) async throws { try await body(bench) }
    }

    /// All checks.
    public static let checks: [Check] = thawing + keeping

    private static let stranger = PackID(high: 0x57, low: 0x57)

    private static let thawing = [
        Check(description: "what was appended is frozen, thaws when it is asked for, and is read byte for byte") {
            bench in
            let archive = try await bench.open()
            let records = sampleRecords([0, 1, 500, 70_000, 24], seed: 1)
            let places = try await archive.append(records)
            let packs = Set(places.map(\.pack))
            try require(try await archive.state(of: packs).values.allSatisfy { $0 == .frozen }, "not frozen at first")
            try await requireFailure(.frozen, by: "a read of a frozen pack") { _ = try await archive.read(places) }
            let asked = bench.now()
            for (pack, state) in try await archive.thaw(packs) {
                guard case .thawing(let ready) = state else {
                    throw ConformanceFailure(description: "pack \(pack) is \(state) at once")
                }
                try require(ready > asked, "the estimate lies in the past")
            }
            try await requireFailure(.frozen, by: "a read of a pack that thaws") { _ = try await archive.read(places) }
            try await bench.passThaw()
            try require(try await archive.state(of: packs).values.allSatisfy(\.isThawed), "not thawed in time")
            try require(try await archive.read(places) == records, "other bytes came back")
            try require(try await archive.read(places.reversed()) == records.reversed(), "not in the order asked")
            try await archive.close()
        },
        Check(description: "asking twice is asking once: the second does not put the thaw off") { bench in
            let archive = try await bench.open()
            let places = try await archive.append(sampleRecords([100], seed: 2))
            let first = try await archive.thaw([places[0].pack])
            let second = try await archive.thaw([places[0].pack])
            try require(first == second, "\(first) became \(second)")
            try await bench.passThaw()
            try require(try await archive.thaw([places[0].pack])[places[0].pack]?.isThawed == true, "put off")
            try await archive.close()
        },
        Check(description: "what is thawed freezes again, and thaws again") { bench in
            let archive = try await bench.open()
            let records = sampleRecords([10], seed: 3)
            let places = try await archive.append(records)
            try await archive.thaw([places[0].pack])
            try await bench.passThaw()
            try await bench.passPeriod()
            try require(try await archive.state(of: [places[0].pack]) == [places[0].pack: .frozen], "still thawed")
            try await requireFailure(.frozen, by: "a late read") { _ = try await archive.read(places) }
            try await archive.thaw([places[0].pack])
            try await bench.passThaw()
            try require(try await archive.read(places) == records, "other bytes after the second thaw")
            try await archive.close()
        },
        Check(description: "what was asked for is remembered over the end of the process") { bench in
            let first = try await bench.open()
            let records = sampleRecords([10, 2000], seed: 4)
            let places = try await first.append(records)
            let asked = try await first.thaw(Set(places.map(\.pack)))
            try await first.close()
            let second = try await bench.open()
            try require(try await second.state(of: Set(places.map(\.pack))) == asked, "forgotten")
            try await bench.passThaw()
            try require(try await second.read(places) == records, "the records are lost")
            try await second.close()
        },
        Check(description: "only what was asked for thaws, and a read needs all of its packs") { bench in
            let first = try await bench.open()
            let one = try await first.append(sampleRecords([10], seed: 5))[0]
            try await first.close()
            let second = try await bench.open()
            let two = try await second.append(sampleRecords([10], seed: 6))[0]
            try require(one.pack != two.pack, "a pack of a former process was written")
            try await second.thaw([one.pack])
            try await bench.passThaw()
            _ = try await second.read([one])
            try await requireFailure(.frozen, by: "a read of one thawed and one frozen pack") {
                _ = try await second.read([one, two])
            }
            try await second.close()
        },
    ]

    private static let keeping = [
        Check(description: "packs that are not there are left out, and reading them is refused") { bench in
            let archive = try await bench.open()
            let place = try await archive.append(sampleRecords([10], seed: 7))[0]
            try require(
                try await archive.state(of: [stranger, place.pack]).keys.elementsEqual([place.pack]), "a stranger")
            try require(try await archive.thaw([stranger]).isEmpty, "a stranger thaws")
            try require(try await archive.thaw([]).isEmpty, "nothing asked, something thaws")
            try require(try await archive.append([]).isEmpty, "nothing appended, something located")
            try await requireFailure(.notFound, .unavailable, by: "a read of an unknown pack") {
                _ = try await archive.read([PackLocation(pack: stranger, offset: 56, length: 10)])
            }
            try await archive.close()
        },
        Check(description: "a removed pack is gone for good, frozen or not, and removing it again is no error") {
            bench in
            let first = try await bench.open()
            let frozen = try await first.append(sampleRecords([10], seed: 8))[0]
            try await first.close()
            let archive = try await bench.open()
            let thawed = try await archive.append(sampleRecords([10], seed: 9))[0]
            try await archive.thaw([thawed.pack])
            try await bench.passThaw()
            for pack in [frozen.pack, thawed.pack, thawed.pack] { try await archive.delete(pack) }
            try require(try await archive.packs().isEmpty, "a removed pack is listed")
            try require(try await archive.state(of: [frozen.pack, thawed.pack]).isEmpty, "a removed pack has a state")
            try await requireFailure(.notFound, .frozen, by: "a read of a removed pack") {
                _ = try await archive.read([thawed])
            }
            let next = try await archive.append(sampleRecords([10], seed: 10))[0]
            try require(next.pack != thawed.pack && next.pack != frozen.pack, "a removed pack was written again")
            try await archive.close()
        },
        Check(description: "packs are listed by id, those of former processes as complete") { bench in
            var packs: Set<PackID> = []
            for seed in 11..<14 as Range<UInt64> {
                let archive = try await bench.open()
                packs.formUnion(try await archive.append(sampleRecords([300], seed: seed)).map(\.pack))
                try await archive.close()
            }
            let archive = try await bench.open()
            let listed = try await archive.packs()
            try require(listed.map(\.pack) == packs.sorted(), "the packs are not those that were written, in order")
            try require(listed.allSatisfy { $0.isSealed && $0.size > 0 }, "a closed archive has left a pack open")
            try await archive.close()
        },
        Check(description: "a closed archive refuses everything as unavailable, but to be closed again") { bench in
            let archive = try await bench.open()
            let place = try await archive.append(sampleRecords([10], seed: 15))[0]
            try await archive.check()
            try await archive.close()
            try await archive.close()
            try await requireFailure(.unavailable, by: "an append") { _ = try await archive.append([[1]]) }
            try await requireFailure(.unavailable, by: "a thaw") { try await archive.thaw([place.pack]) }
            try await requireFailure(.unavailable, by: "a question") { _ = try await archive.state(of: [place.pack]) }
            try await requireFailure(.unavailable, by: "a read") { _ = try await archive.read([place]) }
            try await requireFailure(.unavailable, by: "a list") { _ = try await archive.packs() }
            try await requireFailure(.unavailable, by: "a removal") { try await archive.delete(place.pack) }
            try await requireFailure(.unavailable, by: "a check") { try await archive.check() }
        },
    ]
}
