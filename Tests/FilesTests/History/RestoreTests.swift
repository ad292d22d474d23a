import Metadata
import Model
import Testing

@testable import Files

@Suite("Restoring versions")
struct RestoreTests {
    @Test("a version comes back where the file is now, as one commit, and what is current already is not touched")
    func version() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        try await shop.write("/a", [1], by: ada)
        try await shop.write("/a", [2], by: ada)
        try await shop.move("/a", "/b", by: ada)
        let node = try await shop.node("/b", by: ada)
        let outcome = try await shop.restore("/b", at: .at(1), by: ada)
        #expect(outcome.head.revision == Revision(4))
        #expect(outcome.commits == 1 && outcome.changeCount == 1 && outcome.left.isEmpty)
        #expect(outcome.changes.map(\.kind) == [.reverted])
        #expect(outcome.changes.map(\.path.description) == ["/b"])
        #expect(try await shop.read("/b", by: ada) == [1])
        #expect(try await shop.node("/b", by: ada) == node)
        let again = try await shop.restore("/b", at: .at(1), by: ada)
        #expect(again.changeCount == 0 && again.commits == 0 && again.head == outcome.head)
        #expect(try await shop.head(ada) == 4)
        // A file that is there has nothing to come back to.
        #expect(try await shop.restore("/b", by: ada).changeCount == 0)
    }

    @Test("a deleted file is the same node again, and a dry run changes nothing")
    func deleted() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        try await shop.write("/a", [1], by: ada)
        try await shop.write("/a", [2], by: ada)
        let node = try await shop.node("/a", by: ada)
        try await shop.remove("/a", by: ada)
        let dry = try await shop.restore("/a", dryRun: true, by: ada)
        #expect(dry.changes.map(\.kind) == [.restored] && dry.commits == 1)
        #expect(try await shop.head(ada) == 3)
        _ = try await shop.restore("/a", by: ada)
        #expect(try await shop.read("/a", by: ada) == [2])
        #expect(try await shop.node("/a", by: ada) == node)
        try await shop.remove("/a", by: ada)
        _ = try await shop.restore("/a", at: .at(1), by: ada)
        #expect(try await shop.read("/a", by: ada) == [1])
        await #expect(throws: FilesError(.notFound, "")) { try await shop.restore("/none", by: ada) }
        await #expect(throws: FilesError(.notFound, "")) { try await shop.restore("/a", at: .at(0), by: ada) }
        await #expect(throws: FilesError(.invalidRequest, "")) { try await shop.restore("/a", at: .at(99), by: ada) }
        await #expect(throws: FilesError(.invalidPath, "")) { try await shop.restore("/", at: .at(1), by: ada) }
    }

    @Test("folders around it that are gone are made again")
    func parents() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        try await shop.makeFolder("/d/e", by: ada)
        try await shop.write("/d/e/a", [1], by: ada)
        try await shop.write("/d/e/b", [2], by: ada)
        let node = try await shop.node("/d/e/a", by: ada)
        try await shop.remove("/d", by: ada)
        let outcome = try await shop.restore("/d/e/a", by: ada)
        #expect(outcome.commits == 1)
        #expect(Set(outcome.changes.map(\.kind)) == [.made, .restored])
        #expect(try await shop.paths(of: ada) == ["/d", "/d/e", "/d/e/a"])
        #expect(try await shop.node("/d/e/a", by: ada) == node)
    }

    @Test("a name that is taken by another is not: it goes beside under a name that says so")
    func takenName() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        try await shop.write("/a.txt", [1], by: ada)
        let node = try await shop.node("/a.txt", by: ada)
        try await shop.remove("/a.txt", by: ada)
        try await shop.write("/a.txt", [2], by: ada)
        try await shop.write("/a (restored 2026-01-02 03.04).txt", [3], by: ada)
        let outcome = try await shop.restore("/a.txt", at: .at(1), by: ada)
        #expect(outcome.changes.first?.to?.description == "/a (restored 2026-01-02 03.04 2).txt")
        #expect(try await shop.read("/a.txt", by: ada) == [2])
        #expect(try await shop.node("/a (restored 2026-01-02 03.04 2).txt", by: ada) == node)
    }

    @Test("names of what comes back keep their endings and stay short enough")
    func names() throws {
        let time = Timestamp(nanoseconds: 1_767_366_245_000_000_000)
        func name(_ text: String, _ attempt: Int = 0) throws -> String? {
            RestoredName.name(try NodeName(text), at: time, attempt)?.description
        }
        #expect(try name("a.tar.gz") == "a.tar (restored 2026-01-02 15.04).gz")
        #expect(try name(".profile") == ".profile (restored 2026-01-02 15.04)")
        #expect(try name("plain", 2) == "plain (restored 2026-01-02 15.04 3)")
        let long = try name(String(repeating: "ä", count: 125) + ".txt")
        #expect(long?.hasSuffix("ä (restored 2026-01-02 15.04).txt") == true)
        #expect((long?.utf8.count ?? 0) <= 255)
        let before = Timestamp(nanoseconds: -1)
        #expect(RestoredName.name(try NodeName("x"), at: before, 0)?.description == "x (restored 1969-12-31 23.59)")
    }

    @Test("to another place a copy goes, or what is gone itself")
    func target() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        try await shop.makeFolder("/d", by: ada)
        try await shop.write("/d/a", [1], by: ada)
        try await shop.write("/d/a", [2], by: ada)
        let node = try await shop.node("/d/a", by: ada)
        _ = try await shop.restore("/d/a", at: .at(2), to: "/new/old", by: ada)
        #expect(try await shop.read("/new/old", by: ada) == [1])
        #expect(try await shop.read("/d/a", by: ada) == [2])
        #expect(try await shop.node("/new/old", by: ada) != node)
        _ = try await shop.restore("/d", at: .at(2), to: "/copy", by: ada)
        #expect(try await shop.read("/copy/a", by: ada) == [1])
        await #expect(throws: FilesError(.alreadyExists, "")) {
            try await shop.restore("/d/a", at: .at(2), to: "/copy", by: ada)
        }
        try await shop.remove("/d", by: ada)
        _ = try await shop.restore("/d/a", at: .at(2), to: "/back", by: ada)
        #expect(try await shop.node("/back", by: ada) == node)
        #expect(try await shop.paths(of: ada) == ["/back", "/copy", "/copy/a", "/new", "/new/old"])
    }

    @Test("a deleted folder comes back whole, with the same nodes, also when it went in many commits")
    func folder() async throws {
        var limits = FilesLimits()
        limits.removalBatch = 3
        let shop = try await Workshop(limits: limits)
        let ada = try await shop.account()
        try await shop.makeFolder("/t/deep/er", by: ada)
        for path in ["/t/a", "/t/b", "/t/deep/c", "/t/deep/er/d", "/t/deep/er/e"] {
            try await shop.write(path, Array(path.utf8), by: ada)
        }
        try await shop.write("/other", [1], by: ada)
        try await shop.remove("/other", by: ada)
        let before = try await shop.tree(of: ada)
        try await shop.remove("/t", by: ada)
        #expect(try await shop.tree(of: ada).isEmpty)
        let outcome = try await shop.restore("/t", by: ada)
        #expect(try await shop.tree(of: ada) == before)
        #expect(outcome.changeCount == 8 && outcome.commits > 1)
        #expect(try await shop.read("/t/deep/er/e", by: ada) == Array("/t/deep/er/e".utf8))
    }

    @Test("a folder that is there gets back what it held, and keeps what came later")
    func presentFolder() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        try await shop.makeFolder("/d", by: ada)
        for path in ["/d/a", "/d/b", "/d/c"] { try await shop.write(path, [1], by: ada) }
        let then = try await shop.head(ada)
        try await shop.write("/d/a", [2], by: ada)
        try await shop.remove("/d/b", by: ada)
        try await shop.write("/d/b", [3], by: ada)
        try await shop.move("/d/c", "/c", by: ada)
        try await shop.write("/d/later", [4], by: ada)
        let outcome = try await shop.restore("/d", at: .at(then), by: ada)
        #expect(outcome.left.map(\.reason) == [.movedAway] && outcome.left.map(\.path.description) == ["/c"])
        #expect(try await shop.read("/d/a", by: ada) == [1])
        #expect(try await shop.read("/d/b", by: ada) == [3])
        #expect(try await shop.read("/d/b (restored 2026-01-02 03.04)", by: ada) == [1])
        #expect(try await shop.read("/d/later", by: ada) == [4])
    }

    @Test("a folder comes back without the files whose bytes are not kept, and names them")
    func thinnedInFolder() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        try await shop.makeFolder("/d", by: ada)
        try await shop.write("/d/a", [1], by: ada)
        try await shop.write("/d/b", [2], by: ada)
        try await shop.remove("/d", by: ada)
        try await shop.thin("/d/a", 2, by: ada)
        let outcome = try await shop.restore("/d", by: ada)
        #expect(try await shop.paths(of: ada) == ["/d", "/d/b"])
        #expect(outcome.left.map(\.reason) == [.notKept] && outcome.left.map(\.path.description) == ["/d/a"])
    }
}
