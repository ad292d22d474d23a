import Metadata
import Model
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Files

/// The process dies at each step of the work, before the step or after it, and is started again.
@Suite("The archive and the end of the process")
struct ArchiveCrashTests {
    private struct Killed: Error {}

    /// Counts steps, and dies at one of them.
    private final class Fuse: Sendable {
        private let count = Mutex(0)
        private let at: Int?
        private let isAfter: Bool

        init(at: Int?, isAfter: Bool) {
            self.at = at
            self.isAfter = isAfter
        }

        var steps: Int { count.withLock { $0 } }

        var hook: PortHook {
            PortHook(
                before: { [self] _ in
                    let step = count.withLock { count in
                        count += 1
                        return count
                    }
                    if let at, step > at || step == at && !isAfter { throw Killed() }
                },
                after: { [self] _ in
                    if let at, steps >= at { throw Killed() }
                })
        }
    }

    private static let files: [(path: String, old: [UInt8], new: [UInt8])] = (0..<3).map { number in
        ("/f\(number)", text("old \(number)", 900 + 100 * number), text("new \(number)", 50))
    }

    private static var limits: ArchiveLimits {
        var limits = ArchiveLimits()
        // Several portions.
        limits.portion = 300
        return limits
    }

    private func shop() async throws -> ArchiveShop {
        let shop = try await ArchiveShop(limits: Self.limits)
        for file in Self.files { try await shop.supersede(file.path, file.old, by: file.new) }
        shop.pass(days: 91)
        return shop
    }

    /// Everything is there: current files at once, old versions after a thaw.
    private func checkAll(_ shop: ArchiveShop) async throws {
        #expect(try await shop.coldNeeded().isEmpty)
        for file in Self.files {
            #expect(try await shop.shop.read(file.path, by: shop.ada) == file.new)
            let content = SampleWhole(file.old).content
            let tiers = try await shop.tiers(try await shop.blocks(content))
            #expect(!tiers.isEmpty && tiers.values.allSatisfy { $0 == .archive }, "the work was not finished")
            _ = try? await shop.fetch(content)
        }
        _ = try await shop.thaw()
        shop.shop.clock.advance(by: ArchiveShop.delay)
        _ = try await shop.thaw()
        for file in Self.files { #expect(try await shop.fetch(SampleWhole(file.old).content) == file.old) }
    }

    private func restart(_ shop: ArchiveShop, seed: UInt64) async throws -> ArchiveShop {
        try await shop.tier.store.close()
        try await shop.shop.store.close()
        try await shop.shop.database.close()
        return try await ArchiveShop(after: shop, limits: Self.limits, seed: seed)
    }

    @Test("a move that is killed at any step loses nothing, and is finished by the next", arguments: [false, true])
    func move(isAfter: Bool) async throws {
        let fuse = Fuse(at: nil, isAfter: false)
        let whole = try await shop()
        _ = try await ArchiveBlocks(whole.watched(fuse.hook))()
        try await checkAll(whole)
        let steps = fuse.steps
        #expect(steps > 20)
        for step in 1...steps {
            let first = try await shop()
            await #expect(throws: (any Error).self, "step \(step)") {
                _ = try await ArchiveBlocks(first.watched(Fuse(at: step, isAfter: isAfter).hook))()
            }
            #expect(try await first.coldNeeded().isEmpty)
            let second = try await restart(first, seed: 100)
            for file in Self.files { #expect(try await second.shop.read(file.path, by: second.ada) == file.new) }
            try await second.archive()
            try await checkAll(second)
        }
    }

    @Test(
        "bringing back that is killed at any step loses nothing, and is finished by the next", arguments: [false, true])
    func back(isAfter: Bool) async throws {
        func prepared() async throws -> ArchiveShop {
            let shop = try await shop()
            try await shop.archive()
            for file in Self.files { _ = try? await shop.fetch(SampleWhole(file.old).content) }
            _ = try await shop.thaw()
            shop.shop.clock.advance(by: ArchiveShop.delay)
            return shop
        }
        let fuse = Fuse(at: nil, isAfter: false)
        let whole = try await prepared()
        #expect(try await ThawBlocks(whole.watched(fuse.hook))().ready > 0)
        for step in 1...fuse.steps {
            let first = try await prepared()
            await #expect(throws: (any Error).self, "step \(step)") {
                _ = try await ThawBlocks(first.watched(Fuse(at: step, isAfter: isAfter).hook))()
            }
            let second = try await restart(first, seed: 200)
            _ = try await second.thaw()
            for file in Self.files { #expect(try await second.fetch(SampleWhole(file.old).content) == file.old) }
            #expect(try await second.thaw().next == nil, "nobody waits any more")
        }
    }
}
