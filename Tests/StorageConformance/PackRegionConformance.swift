import Model
public import Storage
import TestSupport

/// What every region must do. A backend's test opens a fresh, empty region for each check and runs it.
public struct PackRegionConformance: Sendable {
    /// One promise of the contract.
    public struct Check: Sendable, CustomStringConvertible {
        /// The promise as a sentence.
        public let description: String
        let body: @Sendable (any PackRegion) async throws -> Void

        /// Tries it with an empty region.
        /// - Throws: ``ConformanceFailure`` when it is not kept, and whatever the region throws unasked.
        public func run(_ region: any PackRegion) async throws {
            try await region.open()
            try await body(region)
            try await region.close()
        }
    }

    private static let one = PackID(high: 0x11 << 56, low: 1)
    private static let two = PackID(high: 0x22 << 56, low: 2)

    /// All checks.
    public static let checks: [Check] = growing + ending + rest

    private static let growing = [
        Check(description: "a new pack is empty, unsealed, and there once") { region in
            try await region.create(one)
            try require(
                try await region.find(one) == PackSummary(pack: one, size: 0, isSealed: false), "not a new pack")
            do {
                try await region.create(one)
            } catch is StorageError { return }
            throw ConformanceFailure(description: "a pack was created twice")
        },
        Check(description: "writes go where they should, within and beyond the end") { region in
            try await region.create(one)
            try await region.write([1, 2, 3, 4], to: one, at: 0)
            try await region.write([9, 9], to: one, at: 1)
            try await region.write([7], to: one, at: 6)
            try require(try await region.read(one, [0..<100]) == [[1, 9, 9, 4, 0, 0, 7]], "other bytes were written")
            try require(try await region.find(one)?.size == 7, "another size")
        },
        Check(description: "ranges are answered in order, as far as there are bytes") { region in
            try await region.create(one)
            try await region.write(Array(0..<200), to: one, at: 0)
            let answers = try await region.read(one, [0..<2, 2..<4, 10..<10, 190..<250, 300..<301])
            try require(answers == [[0, 1], [2, 3], [], Array(190..<200), []], "other bytes were answered")
        },
        Check(description: "a pack that is not there is not found, and nothing is made of it") { region in
            try await requireFailure(.notFound, by: "a write") { try await region.write([1], to: one, at: 0) }
            try await requireFailure(.notFound, by: "a read") { _ = try await region.read(one, [0..<1]) }
            try await requireFailure(.notFound, by: "a cut") { try await region.truncate(one, to: 0) }
            try await requireFailure(.notFound, .corrupt, by: "a seal") { try await region.seal(one, at: 0) }
            try require(try await region.list().isEmpty, "a pack came about")
            try require(try await region.find(one) == nil, "a pack was found")
        },
    ]

    private static let ending = [
        Check(description: "a cut shortens and never lengthens") { region in
            try await region.create(one)
            try await region.write([1, 2, 3, 4], to: one, at: 0)
            try await region.truncate(one, to: 10)
            try require(try await region.find(one)?.size == 4, "a cut has lengthened the pack")
            try await region.truncate(one, to: 2)
            try require(try await region.read(one, [0..<10]) == [[1, 2]], "other bytes are left")
        },
        Check(description: "a seal cuts, can be repeated, and leaves room for repairs") { region in
            try await region.create(one)
            try await region.write([1, 2, 3, 4], to: one, at: 0)
            _ = try await region.read(one, [0..<1])
            try await region.seal(one, at: 3)
            try await region.seal(one, at: 3)
            try require(
                try await region.find(one) == PackSummary(pack: one, size: 3, isSealed: true), "it is not sealed")
            try await region.write([8], to: one, at: 1)
            try require(try await region.read(one, [0..<9]) == [[1, 8, 3]], "the repair went elsewhere")
        },
        Check(description: "a pack that is shorter than what was acknowledged is not sealed") { region in
            try await region.create(one)
            try await region.write([1], to: one, at: 0)
            try await requireFailure(.corrupt, by: "a seal beyond the end") { try await region.seal(one, at: 2) }
            try require(try await region.find(one)?.isSealed == false, "it was sealed all the same")
        },
        Check(description: "a removed pack is gone, sealed or not, and removing it again is no error") { region in
            for pack in [one, two] {
                try await region.create(pack)
                try await region.write([1], to: pack, at: 0)
                _ = try await region.read(pack, [0..<1])
            }
            try await region.seal(one, at: 1)
            try require(Set(try await region.list().map(\.pack)) == [one, two], "the list is another")
            for pack in [one, two, one] { try await region.delete(pack) }
            try require(try await region.list().isEmpty, "something is left")
            try await requireFailure(.notFound, by: "a read") { _ = try await region.read(one, [0..<1]) }
            try await region.create(one)
            try require(try await region.read(one, [0..<1]) == [[]], "old bytes came back")
        },
    ]

    private static let rest = [
        Check(description: "notes are replaced whole, one by one") { region in
            try require(try await region.loadNote("a") == nil, "a note before any was stored")
            try await region.storeNote(Array(0..<100), "a")
            try await region.storeNote([], "b")
            try await region.storeNote([5], "a")
            try require(try await region.loadNote("a") == [5], "the note is another")
            try require(try await region.loadNote("b") == [], "an empty note is none")
            try require(try await region.list().isEmpty, "a note is taken for a pack")
        },
        Check(description: "a check leaves nothing, and opening again is harmless") { region in
            try await region.check()
            try await region.check()
            try await region.create(one)
            try await region.write([1], to: one, at: 0)
            try await region.open()
            try await region.write([2], to: one, at: 1)
            try require(try await region.read(one, [0..<2]) == [[1, 2]], "the pack was lost")
            try require(try await region.list().count == 1, "something else came about")
        },
    ]
}
