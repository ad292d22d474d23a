import Metadata
import Model
import TestSupport
import Testing

@testable import Files

@Suite("History after thinning and collection")
struct HistoryAfterCollectionTests {
    /// A day of saves of several files, and a last save of each on the next day.
    private func filled(_ paths: [String]) async throws -> (Workshop, Principal, [String: [Saved]]) {
        let shop = try await Workshop()
        let ada = try await shop.account()
        try await shop.setPolicy(Workshop.daily)
        var saves: [String: [Saved]] = [:]
        for (index, path) in paths.enumerated() {
            saves[path] = try await shop.remember(path, times: 4, seed: UInt64(index + 1), by: ada)
        }
        shop.clock.advance(by: .seconds(86_400))
        for (index, path) in paths.enumerated() {
            saves[path]? += try await shop.remember(path, times: 1, seed: UInt64(index + 101), by: ada)
        }
        return (shop, ada, saves)
    }

    private func pin(_ save: Saved, _ shop: Workshop, _ who: Principal) async throws {
        _ = try await PinVersion(shop.context)(
            RemotePath(save.path), at: .at(save.revision), name: "mine", in: who.home, by: who)
    }

    @Test(
        "whatever was edited, thinned, collected and compacted, the kept is whole and nothing else is there",
        arguments: 1...3 as ClosedRange<UInt64>)
    func anything(seed: UInt64) async throws {
        var shop = try await Workshop(seed: seed)
        let ada = try await shop.account()
        try await shop.setPolicy(Workshop.daily)
        var editor = Editor(seed: seed)
        var total = CollectionReport()
        for era in 0..<3 as Range<UInt64> {
            for _ in 0..<25 { try await editor.act(shop, ada) }
            _ = try await shop.thin()
            // What this condemns stays so while the next edits are made.
            total.add(try await shop.collect())
            #expect(try await shop.past(editor.saves, by: ada).faults == [])
            #expect(try await editor.faults(shop, ada) == [])
            shop = try await shop.reopened(seed: seed * 100 + era)
        }
        total.add(try await shop.settle())
        let (faults, kept) = try await shop.past(editor.saves, by: ada)
        #expect(faults == [])
        #expect(try await editor.faults(shop, ada) == [])
        #expect(!kept.isEmpty && kept.count < editor.saves.count && editor.restored > 0)
        #expect(total.sweptBlocks > 0 && total.packsRemoved > 0 && total.failures.isEmpty)
        #expect(try await shop.complaints() == [])
    }

    @Test("a pin keeps its bytes through thinning, collection and compaction, and without it just they go")
    func pins() async throws {
        var (shop, ada, files) = try await filled(["/f"])
        let saves = try #require(files["/f"])
        let pinned = saves[1]
        try await pin(pinned, shop, ada)
        #expect(try await shop.thin().versions == 1)
        shop = try await shop.reopened(seed: 2)
        try await shop.settle()
        #expect(try await shop.past(saves, by: ada) == ([], Set([0, 1, 3, 4].map { saves[$0].revision })))
        #expect(
            try await PinVersion(shop.context).remove(
                RemotePath("/f"), at: .at(pinned.revision), in: ada.home, by: ada) == 1)
        let own = try await shop.blocks(of: ada).filter { pinned.blocks.contains($0.id) }
        #expect(own.count == pinned.blocks.count)
        #expect(try await shop.thin().versions == 1)
        let freed = try await shop.settle()
        #expect(freed.sweptBlocks == own.count && freed.sweptBytes == own.reduce(0) { $0 + UInt64($1.length) })
        #expect(try await shop.past(saves, by: ada) == ([], Set([0, 3, 4].map { saves[$0].revision })))
    }

    @Test("a rewind to where some bytes are collected brings back the others, and names these")
    func rewind() async throws {
        let paths = ["/a", "/b", "/c", "/d"]
        let (shop, ada, saves) = try await filled(paths)
        // The second saves go, but for those of two files.
        for path in ["/b", "/d"] { try await pin(#require(saves[path]?[1]), shop, ada) }
        let then = try #require(saves["/d"]?[1]).revision
        _ = try await shop.thin()
        try await shop.settle()
        // At that time, the first three had their fourth saves, which are kept.
        try await shop.thin("/a", #require(saves["/a"]?[3]).revision, by: ada)
        try await shop.settle()
        let outcome = try await shop.rewind("/", to: .at(then), by: ada)
        #expect(outcome.left.map { "\($0.path) \($0.reason)" } == ["/a notKept"])
        for (path, index) in [("/a", 4), ("/b", 3), ("/c", 3), ("/d", 1)] {
            #expect(try await shop.read(path, by: ada) == saves[path]?[index].bytes, "\(path)")
        }
        _ = try await shop.thin()
        try await shop.settle()
        #expect(try await shop.past(saves.values.flatMap(\.self), by: ada).faults == [])
        #expect(try await shop.complaints() == [])
    }

    @Test("an undo brings back what is kept and leaves what was collected as the device made it")
    func undo() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let phone = try await shop.logIn(device: "phone").principal
        try await shop.setPolicy(Workshop.daily)
        let lost = try await shop.remember("/lost", times: 3, size: 900, seed: 1, by: ada)
        let safe = try await shop.remember("/safe", times: 3, size: 900, seed: 2, by: ada)
        try await pin(safe[2], shop, ada)
        let start = shop.clock.now()
        let bad = [
            try await shop.remember("/lost", times: 1, seed: 3, by: phone),
            try await shop.remember("/safe", times: 1, seed: 4, by: phone),
        ].flatMap(\.self)
        shop.clock.advance(by: .seconds(86_400))
        _ = try await shop.thin()
        try await shop.settle()
        let scope = UndoDevice.Scope(device: "phone", since: start)
        let outcome = try await UndoDevice(shop.context)(scope, in: ada.home, by: ada)
        #expect(outcome.left.map { "\($0.path) \($0.reason)" } == ["/lost notKept"])
        #expect(try await shop.read("/lost", by: ada) == bad[0].bytes)
        #expect(try await shop.read("/safe", by: ada) == safe[2].bytes)
        try await shop.settle()
        #expect(try await shop.past(lost + safe + bad, by: ada).faults == [])
    }

    @Test("a version whose bytes are collected between plan and commit does not come back, and nothing is changed")
    func meanwhile() async throws {
        let (shop, ada, files) = try await filled(["/f"])
        let saves = try #require(files["/f"])
        let head = try await shop.head(ada)
        let context = shop.interrupted(by: [
            {
                try await shop.thin("/f", saves[2].revision, by: ada)
                try await shop.settle()
            }
        ])
        await #expect(throws: FilesError(.versionNotKept, "")) {
            try await RestoreVersion(context)(
                RemotePath("/f"), at: .at(saves[2].revision), in: ada.home, by: ada)
        }
        #expect(try await shop.head(ada) == head)
        #expect(try await shop.read("/f", by: ada) == saves[4].bytes)
        let left = Set(try await shop.blocks(of: ada).map(\.id))
        #expect(left.isDisjoint(with: saves[2].blocks))
    }

    @Test("bytes that are saved again while they are condemned stay, and what they were a version of does not return")
    func condemned() async throws {
        let (shop, ada, files) = try await filled(["/f"])
        let saves = try #require(files["/f"])
        _ = try await shop.thin()
        let first = try await shop.collect()
        #expect(first.condemned > 0 && first.sweptBlocks == 0)
        let again = try await shop.remember("/again", saves[1].bytes, by: ada)
        let rest = try await shop.settle()
        #expect(rest.sweptBlocks == saves[2].blocks.count)
        let left = Set(try await shop.blocks(of: ada).map(\.id))
        #expect(left.isSuperset(of: saves[1].blocks) && left.isDisjoint(with: saves[2].blocks))
        #expect(try await shop.past(saves + [again], by: ada).faults == [])
        await #expect(throws: FilesError(.versionNotKept, "")) {
            try await shop.restore("/f", at: .at(saves[1].revision), by: ada)
        }
        #expect(try await shop.complaints() == [])
    }
}
