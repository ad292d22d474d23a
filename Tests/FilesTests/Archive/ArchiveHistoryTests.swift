import Metadata
import Model
import Storage
import TestSupport
import Testing

@testable import Files

/// Random trees with random histories: a simple model says what has to be hot and what may be cold.
@Suite("The archive over random histories")
struct ArchiveHistoryTests {
    /// What is known of a version without looking at the database.
    private struct Version {
        let bytes: [UInt8]
        let begun: Timestamp
        var ended: Timestamp?
    }

    private struct World {
        let shop: ArchiveShop
        var random: SeededGenerator
        var versions: [String: [Version]] = [:]

        /// Few contents, so that files and versions share blocks.
        mutating func bytes() -> [UInt8] {
            let kind = UInt64.random(in: 0..<9, using: &random)
            return kind < 6 ? text("kind \(kind)", 20 + Int(kind)) : SeededBytes.of(30_000 + Int(kind), seed: kind)
        }

        mutating func step() async throws {
            let path = "/\(Int.random(in: 0..<4, using: &random))"
            let now = shop.shop.clock.now()
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<6:
                let bytes = bytes()
                try await shop.shop.write(path, bytes, by: shop.ada)
                end(path, now)
                versions[path, default: []].append(Version(bytes: bytes, begun: now))
            case 6:
                guard versions[path]?.last?.ended == nil, versions[path] != nil else { return }
                _ = try await RemoveNode(shop.context)(
                    RemotePath(path), if: Preconditions(), in: shop.ada.home, by: shop.ada)
                end(path, now)
            default: shop.pass(days: Int64.random(in: 1...40, using: &random))
            }
        }

        private mutating func end(_ path: String, _ now: Timestamp) {
            guard let last = versions[path]?.indices.last, versions[path]?[last].ended == nil else { return }
            versions[path]?[last].ended = now
        }

        /// The blocks that have to be hot, those that may be either, and all that there are.
        func expectation(
            _ policy: ArchivePolicy
        ) async throws -> (hot: Set<BlockID>, either: Set<BlockID>, all: Set<BlockID>) {
            let now = shop.shop.clock.now()
            let ended = now.advanced(by: .zero - policy.pastAfter)
            let begun = policy.currentAfter.map { now.advanced(by: .zero - $0) }
            var hot: Set<BlockID> = []
            var either: Set<BlockID> = []
            var all: Set<BlockID> = []
            for version in versions.values.joined() where !version.bytes.isEmpty {
                let blocks = try await shop.blocks(SampleWhole(version.bytes).content)
                all.formUnion(blocks)
                let isCold =
                    if let end = version.ended { end <= ended } else { begun.map { version.begun <= $0 } ?? false }
                if isCold { continue }
                // One that went while it was current does not come back because somebody replaced it.
                if let end = version.ended, let span = policy.currentAfter, version.begun.advanced(by: span) <= end {
                    either.formUnion(blocks)
                } else {
                    hot.formUnion(blocks)
                }
            }
            return (hot, either, all)
        }
    }

    private func play(seed: UInt64, _ policy: ArchivePolicy) async throws {
        var limits = ArchiveLimits()
        limits.selection = 3
        let shop = try await ArchiveShop(policy: policy, limits: limits, seed: seed)
        var world = World(shop: shop, random: SeededGenerator(seed: seed))
        var wasCold = false
        for _ in 0..<4 {
            for _ in 0..<8 { try await world.step() }
            try await WarmFiles(shop.context)()
            _ = try await shop.thaw()
            shop.shop.clock.advance(by: ArchiveShop.delay)
            _ = try await shop.thaw()
            _ = try await shop.archive()
            let expected = try await world.expectation(policy)
            let tiers = try await shop.tiers(Array(expected.all))
            #expect(Set(tiers.keys) == expected.all, "seed \(seed): a block is gone")
            for (block, tier) in tiers where tier == .archive {
                wasCold = true
                #expect(!expected.hot.contains(block), "seed \(seed): block \(block) is needed, and cold")
            }
            // What was kept for a while after a thaw, or for an upload, may still be hot.
            let account = shop.ada.account
            let kept = try await shop.shop.database.read { connection in
                try connection.query(
                    "SELECT id FROM block WHERE account = $1 AND kept_day IS NOT NULL", [.blob(account.bytes)]
                )
                .map { try $0.blob(0) }
            }
            let lazy = tiers.filter { block, tier in
                tier == .hot && !expected.hot.contains(block) && !expected.either.contains(block)
                    && !kept.contains(block.digest.bytes)
            }
            #expect(lazy.isEmpty, "seed \(seed): \(lazy.count) cold blocks are hot still")
        }
        // Every version can be had again.
        for version in world.versions.values.joined() { _ = try? await shop.fetch(SampleWhole(version.bytes).content) }
        _ = try await shop.thaw()
        shop.shop.clock.advance(by: ArchiveShop.delay)
        _ = try await shop.thaw()
        for version in world.versions.values.joined() {
            #expect(try await shop.fetch(SampleWhole(version.bytes).content) == version.bytes, "seed \(seed)")
        }
        #expect(wasCold || seed % 4 != 0, "most histories have something cold")
    }

    @Test("nothing that a current file or a young version needs is ever cold, and all else is", arguments: 0..<24)
    func pastOnly(seed: UInt64) async throws {
        try await play(seed: seed, ArchivePolicy(pastAfter: .seconds(30 * 86_400)))
    }

    @Test("with current files that were left alone, too", arguments: 100..<116)
    func current(seed: UInt64) async throws {
        try await play(
            seed: seed, ArchivePolicy(pastAfter: .seconds(20 * 86_400), currentAfter: .seconds(50 * 86_400)))
    }
}
