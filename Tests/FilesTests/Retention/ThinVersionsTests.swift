import Blocks
import Files
import Metadata
import Model
import Retention
import TestSupport
import Testing

@Suite("Thinning of versions")
struct ThinVersionsTests {
    /// All of an hour, then the newest of each day; nothing collapses.
    private let daily = #"{"ladder":[{"keep":"all","for":"1h"},{"keep":"daily"}],"collapse":null}"#

    @Test("what no policy wants goes, the rest stays, and the file and its history are as they were")
    func thins() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        try await shop.setPolicy(daily)
        // 03:04, 07:04 … 23:04, and so on over two days.
        try await shop.save("/f", times: 12, every: .seconds(4 * 3600), by: ada)
        let present = try await shop.read("/f", by: ada)
        let head = try await shop.head(of: ada)
        shop.clock.advance(by: .seconds(86_400))
        let report = try await shop.thin()
        #expect(report.isComplete && report.files == 1 && report.versions == 9 && report.bytes == 1800)
        // The first; the last of each day; the present one.
        #expect(try await shop.keptRevisions("/f", of: ada) == [1, 6, 12])
        #expect(try await shop.read("/f", by: ada) == present)
        #expect(try await shop.head(of: ada) == head)
        let again = try await shop.thin()
        #expect(again.versions == 0 && again.isComplete)
        let faults = try await shop.database.read {
            try JournalVerification($0, ada.home) { SHA256Hasher.digest(of: $0) }.faults()
        }
        #expect(faults.isEmpty)
    }

    @Test("nothing is written to the rows of what stays: the present state, folders, what is young")
    func untouched() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        try await shop.save("/young", times: 5, every: .seconds(30), by: ada)
        _ = try await MakeFolder(shop.context)(RemotePath("/d"), in: ada.home, by: ada)
        _ = try await MoveNode(shop.context)(from: RemotePath("/d"), to: RemotePath("/e"), in: ada.home, by: ada)
        #expect(try await shop.thin().versions == 0)
        shop.clock.advance(by: .seconds(3600))
        // By now the burst collapses to its last, the present one; the first stays.
        #expect(try await shop.thin().versions == 3)
        #expect(try await shop.keptRevisions("/young", of: ada) == [1, 5])
        let thinned = try await shop.database.read {
            try $0.query(
                "SELECT valid_from FROM node WHERE thinned IS NOT NULL AND (kind <> 1 OR valid_to IS NULL)", [])
        }
        #expect(thinned.isEmpty)
    }

    @Test("explaining tells what thinning then does, and changes nothing")
    func explains() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        try await shop.save("/a", times: 8, every: .seconds(7200), by: ada)
        try await shop.save("/b", times: 3, every: .seconds(40 * 86_400), by: ada)
        try await shop.setPolicy(daily)
        let going = try await shop.explain()
        #expect(try await shop.explain() == going)
        #expect(try await shop.explain("/a") == going.filter { $0.key == "/a" })
        #expect(try await shop.explain(policy: .keepAll) == ["/a": [], "/b": []])
        let before = try await shop.keptRevisions("/a", of: ada)
        #expect(before.count == 8)
        _ = try await shop.thin()
        let left = try await shop.keptRevisions("/a", of: ada)
        #expect(Set(before).subtracting(left) == Set(going["/a"] ?? []))
        #expect(!left.contains(4))
        await #expect(throws: FilesError(.notFound, "")) { try await shop.explain("/none") }
        await #expect(throws: FilesError(.notFound, "")) {
            try await ExplainRetention(database: shop.database, clock: shop.clock)("eve") { _ in }
        }
    }

    @Test("the nearest folder decides, then the namespace, then the account; a file is where it is now")
    func places() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        for folder in ["/keep", "/keep/not", "/other"] {
            _ = try await MakeFolder(shop.context)(RemotePath(folder), in: ada.home, by: ada)
        }
        for path in ["/keep/a", "/keep/not/b", "/other/c", "/moved", "/keep/gone"] {
            try await shop.save(path, times: 4, every: .seconds(600), by: ada)
        }
        _ = try await MoveNode(shop.context)(
            from: RemotePath("/moved"), to: RemotePath("/keep/moved"), in: ada.home, by: ada)
        _ = try await RemoveNode(shop.context)(RemotePath("/keep/gone"), in: ada.home, by: ada)
        shop.clock.advance(by: .seconds(86_400))
        try await shop.setPolicy("keep-all", "/keep")
        try await shop.setPolicy(daily, "/keep/not")
        try await shop.setPolicy(daily)
        #expect(
            try await shop.explain().mapValues(\.count) == [
                "/keep/a": 0, "/keep/not/b": 2, "/other/c": 2, "/keep/moved": 0, "/keep/gone": 0,
            ])
        // The rule of the root is nearer than that of the account.
        try await shop.setPolicy("keep-all", "/")
        #expect(try await shop.explain()["/other/c"] == [])
        try await shop.setPolicy(nil, "/")
        try await shop.setPolicy(nil, "/keep")
        #expect(
            try await shop.explain("/keep").mapValues(\.count) == [
                "/keep/a": 2, "/keep/not/b": 2, "/keep/moved": 2, "/keep/gone": 2,
            ])
        let rules = try await SetRetention(database: shop.database, clock: shop.clock).rules(of: "ada")
        #expect(rules.map { $0.folder.map { "\($0)" } } == [nil, "/keep/not"])
    }

    @Test("what can't be a policy, or not there, is refused")
    func refusals() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        try await shop.write("/f", [1], by: ada)
        await #expect(throws: FilesError(.invalidRequest, "")) { try await shop.setPolicy("{\"often\":1}") }
        await #expect(throws: FilesError(.notFound, "")) { try await shop.setPolicy(daily, "/none") }
        await #expect(throws: FilesError(.conflict, "")) { try await shop.setPolicy(daily, "/f") }
        await #expect(throws: FilesError(.notFound, "")) { try await shop.setPolicy(nil) }
    }

    @Test("a policy that can't be read lets nothing go")
    func unreadablePolicy() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        try await shop.save("/f", times: 5, every: .seconds(60), by: ada)
        shop.clock.advance(by: .seconds(86_400))
        try await shop.setPolicy(daily)
        try await shop.database.write { connection in
            _ = try connection.execute("UPDATE retention SET policy = '{\"newer\":1}'", [])
        }
        await #expect(throws: FilesError(.corruptData, "")) { try await shop.thin() }
        #expect(try await shop.keptRevisions("/f", of: ada).count == 5)
    }

    @Test("states with the same bytes go together, and stay together when one of them is pinned")
    func runs() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        try await shop.setPolicy(daily)
        // Revisions 1; 2, 3 (renamed); 4, 5 (renamed); 6.
        try await shop.save("/f", times: 2, every: .seconds(60), by: ada)
        _ = try await MoveNode(shop.context)(from: RemotePath("/f"), to: RemotePath("/g"), in: ada.home, by: ada)
        try await shop.write("/g", [4], by: ada)
        _ = try await MoveNode(shop.context)(from: RemotePath("/g"), to: RemotePath("/h"), in: ada.home, by: ada)
        try await shop.write("/h", [6], by: ada)
        let node = try await FindNode(shop.context)(RemotePath("/h"), in: ada.home, by: ada).node
        try await shop.pin(node, 5, of: ada)
        shop.clock.advance(by: .seconds(86_400))
        let report = try await shop.thin()
        #expect(report.versions == 1)
        #expect(try await shop.keptRevisions("/h", of: ada) == [1, 4, 5, 6])
    }

    @Test("a deleted file keeps its last version for as long as the policy says")
    func deleted() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        try await shop.setPolicy(#"{"ladder":[{"keep":"all","for":"1d"}],"collapse":null,"keep_deleted":"30d"}"#)
        try await shop.save("/f", times: 4, every: .seconds(60), by: ada)
        let node = try await FindNode(shop.context)(RemotePath("/f"), in: ada.home, by: ada).node
        _ = try await RemoveNode(shop.context)(RemotePath("/f"), in: ada.home, by: ada)
        shop.clock.advance(by: .seconds(10 * 86_400))
        _ = try await shop.thin()
        #expect(try await shop.keptRevisions(node, of: ada) == [1, 4])
        shop.clock.advance(by: .seconds(21 * 86_400))
        _ = try await shop.thin()
        #expect(try await shop.keptRevisions(node, of: ada) == [])
    }
}

@Suite("Thinning that is disturbed")
struct DisturbedThinningTests {
    private let policy = #"{"ladder":[{"keep":"daily"}],"collapse":null,"min_age":"0s"}"#

    private func filled(files: Int) async throws -> (Workshop, Principal) {
        let shop = try await Workshop()
        let ada = try await shop.account()
        try await shop.setPolicy(policy)
        for number in 0..<files { try await shop.save("/f\(number)", times: 4, every: .seconds(1), by: ada) }
        shop.clock.advance(by: .seconds(86_400))
        return (shop, ada)
    }

    @Test("killed at any write, before it or after it, it loses nothing and is made good", arguments: [true, false])
    func killed(isDoneFirst: Bool) async throws {
        for number in 1...6 {
            let (shop, ada) = try await filled(files: 5)
            let hooked = HookedDatabase(shop.database)
            hooked.kill(at: number, isDoneFirst: isDoneFirst)
            var isKilled = false
            do { while try await !shop.thin(hooked, mostFiles: 2).isComplete {} } catch is HookedDatabase.Killed {
                isKilled = true
            }
            #expect(isKilled || hooked.writes < number)
            while try await !shop.thin(mostFiles: 2).isComplete {}
            for file in 0..<5 {
                let kept = try await shop.keptRevisions("/f\(file)", of: ada)
                #expect(kept == [UInt64(file) * 4 + 1, UInt64(file) * 4 + 4], "killed at write \(number)")
            }
        }
    }

    @Test("a call ends after so many files, and the next one goes on behind them")
    func portions() async throws {
        let (shop, _) = try await filled(files: 450)
        var reports: [ThinVersions.Report] = []
        repeat { reports.append(try await shop.thin(mostFiles: 150)) } while reports.last?.isComplete == false
        #expect(reports.map(\.files) == [150, 150, 150, 0])
        #expect(reports.map(\.versions) == [300, 300, 300, 0])
    }

    @Test("what is pinned between the decision and the deed stays")
    func pinned() async throws {
        let (shop, ada) = try await filled(files: 1)
        let node = try await FindNode(shop.context)(RemotePath("/f0"), in: ada.home, by: ada).node
        let hooked = HookedDatabase(shop.database)
        hooked.setBefore { try $0.pin(node, 3, of: ada) }
        #expect(try await shop.thin(hooked).versions == 1)
        #expect(try await shop.keptRevisions(node, of: ada) == [1, 3, 4])
    }

    @Test("bytes that come back between the decision and the deed stay")
    func returned() async throws {
        let (shop, ada) = try await filled(files: 1)
        let record = try await FindNode(shop.context)(RemotePath("/f0"), in: ada.home, by: ada)
        let old = try await shop.database.read {
            try NodeQueries($0).node(record.node, in: ada.home, at: Revision(2))
        }
        let state = try #require(old?.state)
        let hooked = HookedDatabase(shop.database)
        hooked.setBefore { connection in
            let request = CommitRequest(
                namespace: ada.home, upload: Ids.upload(77), device: ada.device,
                changes: [NodeChange(node: record.node, base: record.revision, state: state)])
            _ = try CommitQueries(connection).apply(request, at: Timestamp(nanoseconds: 9)) {
                SHA256Hasher.digest(of: $0)
            }
        }
        #expect(try await shop.thin(hooked).versions == 1)
        #expect(try await shop.keptRevisions(record.node, of: ada) == [1, 2, 4, 5])
    }

    @Test("one account can be done by itself, whatever else is under way")
    func oneAccount() async throws {
        let (shop, ada) = try await filled(files: 2)
        let eve = try await shop.account("eve")
        try await shop.write("/e", [1], by: eve)
        let report = try await ThinVersions(database: shop.database, clock: shop.clock)(account: ada.account)
        #expect(report.versions == 4 && report.isComplete && report.files == 2)
        #expect(try await ThinVersions(database: shop.database, clock: shop.clock)(account: eve.account).files == 0)
    }
}
