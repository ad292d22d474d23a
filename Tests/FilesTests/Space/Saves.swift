import Blocks
import Metadata
import Model
import Storage
import StorageConformance
import TestSupport
import Testing

@testable import Files

/// What was saved once, as the one who saved it remembers it.
struct Saved: Sendable {
    let path: String
    let node: NodeID
    let revision: UInt64
    let bytes: [UInt8]

    /// The blocks that the bytes are made of.
    var blocks: Set<BlockID> { Set(SampleFile(bytes).blocks.map(\.id)) }
}

/// Short forms of what the tests of space ask for.
extension Workshop {
    /// The newest of each day, from the first minute on.
    static let daily = #"{"ladder":[{"keep":"daily"}],"collapse":null,"min_age":"0s"}"#
    /// Everything for a day, and the last of what is deleted for 30.
    static let brief = #"{"ladder":[{"keep":"all","for":"1d"}],"collapse":null,"keep_deleted":"30d"}"#

    /// Writes a file in many small blocks and remembers it; then time passes.
    func remember(
        _ path: String, _ bytes: [UInt8], pause: Duration = .seconds(3600), by who: Principal
    ) async throws -> Saved {
        try await put(path, bytes, by: who)
        let node = try #require(try await node(path, by: who))
        let saved = Saved(path: path, node: node, revision: try await head(who), bytes: bytes)
        clock.advance(by: pause)
        return saved
    }

    /// Writes a file again and again, with bytes that nothing else has.
    func remember(_ path: String, times: UInt64, size: Int = 1500, seed: UInt64, by who: Principal) async throws
        -> [Saved]
    {
        var saves: [Saved] = []
        for number in 0..<times {
            var random = SeededGenerator(seed: seed &* 1000 &+ number)
            saves.append(try await remember(path, random.bytes(size), by: who))
        }
        return saves
    }

    /// Collects once, without any window.
    @discardableResult
    func collect() async throws -> CollectionReport {
        clock.advance(by: .seconds(1))
        var limits = CollectionLimits()
        limits.safetyWindow = .zero
        limits.packWindow = .zero
        limits.clockSlack = .zero
        return try await CollectGarbage(context, limits: limits)()
    }

    /// Collects until nothing is left to do.
    /// - Returns: what was done in all.
    @discardableResult
    func settle() async throws -> CollectionReport {
        var total = CollectionReport()
        for _ in 0..<8 {
            let report = try await collect()
            total.add(report)
            if report.isIdle { return total }
        }
        Issue.record("the collector does not come to rest")
        return total
    }

    /// Begins anew with what is durable; all packs are sealed then.
    func reopened(seed: UInt64) async throws -> Workshop {
        try await store.close()
        return try await Workshop(after: self, seed: seed)
    }

    /// Reads all that was ever saved: what is kept has to be as it was, all else has to say that it is not kept.
    /// - Returns: what is wrong, and what is kept.
    func past(_ saves: [Saved], by who: Principal) async throws -> (faults: [String], kept: Set<UInt64>) {
        var (faults, kept) = ([String](), Set<UInt64>())
        for save in saves {
            let isKept = try await keptRevisions(save.node, of: who).contains(save.revision)
            if isKept { kept.insert(save.revision) }
            do {
                let bytes = try await read(save.path, at: .at(save.revision), by: who)
                if !isKept { faults.append("\(save.path) \(save.revision) was given up and is read") }
                if bytes != save.bytes { faults.append("\(save.path) \(save.revision) has other bytes") }
            } catch let error as FilesError {
                if isKept || error.code != .versionNotKept {
                    faults.append("\(save.path) \(save.revision): \(error)")
                }
            }
        }
        return (faults, kept)
    }

    /// What a full check has to say of a place where nothing is left over; ends the store.
    func complaints() async throws -> [CheckFinding] {
        try await store.close()
        let checked = try await check()
        return checked.damage + checked.repaired + checked.of(.orphanBlock) + checked.of(.orphanPage)
            + checked.of(.unnamedPack) + checked.of(.unchecked)
    }

    func usage(_ account: String = "ada") async throws -> MeasureUsage.Account {
        try await MeasureUsage(database: database)(account)
    }

    /// The bytes of all packs of the first region.
    var storedBytes: Int { disks[0].packs.values.reduce(0) { $0 + $1.count } }
}
