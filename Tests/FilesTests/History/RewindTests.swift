import Blocks
import Metadata
import Model
import StorageConformance
import Synchronization
import TestSupport
import Testing

@testable import Files

/// A database in which somebody else does something right before the next write.
final class InterruptedDatabase: MetadataDatabase {
    private let base: any MetadataDatabase
    private let interruptions: Mutex<[@Sendable () async throws -> Void]>

    init(_ base: any MetadataDatabase, _ interruptions: [@Sendable () async throws -> Void]) {
        self.base = base
        self.interruptions = Mutex(interruptions)
    }

    func read<T: Sendable>(_ body: @escaping @Sendable (any MetadataConnection) throws -> T) async throws -> T {
        try await base.read(body)
    }

    @discardableResult
    func write<T: Sendable>(_ body: @escaping @Sendable (any MetadataConnection) throws -> T) async throws -> T {
        let interruption = interruptions.withLock { $0.isEmpty ? nil : $0.removeFirst() }
        try await interruption?()
        return try await base.write(body)
    }

    func close() async throws { try await base.close() }
}

extension Workshop {
    /// The use cases, on a database in which others come in between.
    func interrupted(by interruptions: [@Sendable () async throws -> Void]) -> FilesContext {
        FilesContext(
            database: InterruptedDatabase(database, interruptions), store: store, keyRing: FixedKeyRing(keyRing),
            bus: bus, clock: clock, randomness: Randomness(SeededGenerator(seed: 4711)), workers: context.workers,
            limits: context.limits, log: context.log)
    }
}

@Suite("Rewinding trees")
struct RewindTests {
    /// A tree in which everything happens: edits, moves, renames, removals, returns.
    private func history(_ shop: Workshop, _ who: Principal) async throws {
        try await shop.makeFolder("/d/e", by: who)
        try await shop.makeFolder("/x", by: who)
        for path in ["/d/a", "/d/e/b", "/x/c", "/top"] { try await shop.write(path, Array(path.utf8), by: who) }
        try await shop.move("/d/a", "/x/a", by: who)
        try await shop.write("/x/a", [9], by: who)
        try await shop.remove("/x/c", by: who)
        try await shop.write("/x/c", [8], by: who)
        try await shop.move("/d", "/x/d", by: who)
        try await shop.write("/d", [7], by: who)
        try await shop.move("/x/d/e", "/e", by: who)
        try await shop.remove("/top", by: who)
        try await shop.move("/x/a", "/top", by: who)
        try await shop.remove("/x", by: who)
        _ = try await shop.restore("/x/c", by: who)
    }

    @Test("everything goes back to any revision, in one commit, by the same nodes; again there is nothing to do")
    func everything() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        try await history(shop, ada)
        let last = try await shop.head(ada)
        for target in (0...last).reversed() + [3, last, 8] {
            let before = try await shop.head(ada)
            let outcome = try await shop.rewind("/", to: .at(target), by: ada)
            #expect(outcome.left.isEmpty)
            #expect(outcome.commits <= 1)
            #expect(try await shop.head(ada) == before + UInt64(outcome.commits))
            #expect(try await shop.tree(of: ada) == (try await shop.tree(at: target, of: ada)), "to \(target)")
            #expect(try await shop.rewind("/", to: .at(target), by: ada).changeCount == 0)
        }
        let bytes = try await shop.read("/d/e/b", at: .at(8), by: ada)
        #expect(bytes == Array("/d/e/b".utf8))
    }

    @Test("a folder goes back with what is and was in it, and nothing else does")
    func folder() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        try await shop.makeFolder("/d/e", by: ada)
        for path in ["/d/a", "/d/e/b", "/other"] { try await shop.write(path, [1], by: ada) }
        let then = try await shop.head(ada)
        try await shop.write("/other", [2], by: ada)
        try await shop.write("/d/a", [2], by: ada)
        try await shop.move("/d/e/b", "/b", by: ada)
        try await shop.write("/d/new", [3], by: ada)
        try await shop.remove("/d/e", by: ada)
        let dry = try await shop.rewind("/d", to: .at(then), dryRun: true, by: ada)
        let outcome = try await shop.rewind("/d", to: .at(then), by: ada)
        #expect(dry.changes == outcome.changes)
        #expect(
            outcome.changes.map { "\($0.kind) \($0.path)\($0.to.map { " \($0)" } ?? "")" } == [
                "moved /b /d/e/b", "reverted /d/a", "restored /d/e", "removed /d/new",
            ])
        #expect(try await shop.paths(of: ada) == ["/d", "/d/a", "/d/e", "/d/e/b", "/other"])
        #expect(try await shop.read("/d/a", by: ada) == [1])
        #expect(try await shop.read("/other", by: ada) == [2])
        // What went is in the history still.
        #expect(try await shop.versions("/d/new", by: ada)[0].entries.count == 2)
    }

    @Test("a file goes back by itself, also one whose folders are gone")
    func file() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        try await shop.makeFolder("/d/e", by: ada)
        try await shop.write("/d/e/a", [1], by: ada)
        try await shop.write("/d/e/b", [1], by: ada)
        let node = try await shop.node("/d/e/a", by: ada)
        try await shop.write("/d/e/a", [2], by: ada)
        try await shop.remove("/d", by: ada)
        let outcome = try await shop.rewind("/d/e/a", to: .at(2), by: ada)
        #expect(outcome.left.isEmpty)
        #expect(try await shop.paths(of: ada) == ["/d", "/d/e", "/d/e/a"])
        #expect(try await shop.node("/d/e/a", by: ada) == node)
        #expect(try await shop.read("/d/e/a", by: ada) == [1])
        await #expect(throws: FilesError(.notFound, "")) { try await shop.rewind("/none", to: .at(2), by: ada) }
        await #expect(throws: FilesError(.invalidRequest, "")) { try await shop.rewind("/", to: .at(99), by: ada) }
    }

    @Test("what is not kept is left as it is and named")
    func thinned() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        for path in ["/a", "/b"] { try await shop.write(path, [1], by: ada) }
        for path in ["/a", "/b"] { try await shop.write(path, [2], by: ada) }
        try await shop.thin("/a", 1, by: ada)
        let outcome = try await shop.rewind("/", to: .at(2), by: ada)
        #expect(outcome.left.map { "\($0.path) \($0.reason)" } == ["/a notKept"])
        #expect(try await shop.read("/a", by: ada) == [2])
        #expect(try await shop.read("/b", by: ada) == [1])
        #expect(try await shop.rewind("/", to: .at(2), by: ada).changeCount == 0)
    }

    @Test("above the limit it is several commits, each of which leaves a tree")
    func batches() async throws {
        var limits = FilesLimits()
        limits.removalBatch = 4
        let shop = try await Workshop(limits: limits)
        let ada = try await shop.account()
        let start = try await shop.head(ada)
        try await history(shop, ada)
        for number in 0..<10 { try await shop.write("/many\(number)", [1], by: ada) }
        let full = try await shop.head(ada)
        let outcome = try await shop.rewind("/", to: .at(start), by: ada)
        #expect(outcome.commits > 1 && outcome.commits >= outcome.changeCount / 4)
        #expect(try await shop.tree(of: ada).isEmpty)
        _ = try await shop.rewind("/", to: .at(full), by: ada)
        #expect(try await shop.tree(of: ada) == (try await shop.tree(at: full, of: ada)))
        let faults = try await shop.database.read {
            try JournalVerification($0, ada.home, hash: { SHA256Hasher.digest(of: $0) }).faults()
        }
        #expect(faults.isEmpty)
    }

    @Test("an edit that comes between plan and commit is seen, and kept in the history")
    func concurrent() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        for path in ["/a", "/b"] { try await shop.write(path, [1], by: ada) }
        let then = try await shop.head(ada)
        for path in ["/a", "/b"] { try await shop.write(path, [2], by: ada) }
        let context = shop.interrupted(by: [
            { try await shop.write("/a", [3], by: ada) }, { try await shop.write("/c", [4], by: ada) },
        ])
        let outcome = try await RewindTree(context)(.root, to: .at(then), in: ada.home, by: ada)
        #expect(outcome.commits == 1)
        #expect(try await shop.read("/a", by: ada) == [1])
        // What came after the plan that was carried out was not meant.
        #expect(try await shop.read("/c", by: ada) == [4])
        #expect(try await shop.versions("/a", by: ada)[0].entries.map(\.revision.number) == [7, 5, 3, 1])
    }

    @Test("a version that is given up between plan and commit is left, and named")
    func thinnedMeanwhile() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        for path in ["/a", "/b"] { try await shop.write(path, [1], by: ada) }
        for path in ["/a", "/b"] { try await shop.write(path, [2], by: ada) }
        let context = shop.interrupted(by: [{ try await shop.thin("/a", 1, by: ada) }])
        let outcome = try await RewindTree(context)(.root, to: .at(2), in: ada.home, by: ada)
        #expect(outcome.left.map { "\($0.path) \($0.reason)" } == ["/a notKept"])
        #expect(try await shop.read("/a", by: ada) == [2])
        #expect(try await shop.read("/b", by: ada) == [1])
        try await shop.remove("/a", by: ada)
        let again = shop.interrupted(by: [{ try await shop.thin("/a", 3, by: ada) }])
        await #expect(throws: FilesError(.versionNotKept, "")) {
            try await RestoreVersion(again)(RemotePath("/a"), in: ada.home, by: ada)
        }
        #expect(try await shop.node("/a", by: ada) == nil)
    }

    @Test("a tree that changes all the time is given up on, and left whole")
    func endlessRace() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        try await shop.write("/a", [0], by: ada)
        try await shop.write("/a", [1], by: ada)
        let context = shop.interrupted(
            by: (2...20).map { byte -> @Sendable () async throws -> Void in
                { try await shop.write("/a", [UInt8(byte)], by: ada) }
            })
        await #expect(throws: FilesError(.conflict, "")) {
            try await RewindTree(context)(.root, to: .at(1), in: ada.home, by: ada)
        }
        #expect(try await shop.read("/a", by: ada) != [0])
    }
}
