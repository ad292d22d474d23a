import Files
import Metadata
import Model
import Storage
import TestSupport
import Testing

/// What a check finds in journals and trees.
@Suite struct CheckTreeTests {
    /// A folder with a file, moved once, and removed at last; another that stays.
    private func filled() async throws -> (Workshop, Principal) {
        let shop = try await Workshop()
        let ada = try await shop.account()
        _ = try await MakeFolder(shop.context)(RemotePath("/a"), in: ada.home, by: ada)
        _ = try await MakeFolder(shop.context)(RemotePath("/a/b"), in: ada.home, by: ada)
        try await shop.put("/a/b/f", [1, 2, 3], by: ada)
        try await shop.put("/g", [4], by: ada)
        try await shop.put("/a/b/f", [1, 2, 4], by: ada)
        try await shop.store.close()
        return (shop, ada)
    }

    private func node(_ name: String, _ shop: Workshop) async throws -> SQLValue {
        let bytes = try await shop.database.read { connection in
            try connection.first("SELECT node FROM node WHERE name = $1", [.blob(Array(name.utf8))])!.blob(0)
        }
        return .blob(bytes)
    }

    private func faults(_ shop: Workshop, _ words: String) async throws -> [CheckFinding] {
        try await shop.check(full: false).of(.tree).filter { $0.message.contains(words) }
    }

    @Test("a sound tree has no fault")
    func sound() async throws {
        let (shop, _) = try await filled()
        #expect(try await shop.check().damage.isEmpty)
    }

    @Test("a row that was changed behind the journal is found, with its revision")
    func journal() async throws {
        let (shop, ada) = try await filled()
        try await shop.spoil("UPDATE node SET mode = 1 WHERE name = $1 AND valid_to IS NULL", [.blob(Array("g".utf8))])
        let found = try await shop.check(full: false)
        #expect(found.of(.journal).map(\.revision) == [Revision(4)])
        #expect(found.of(.journal).allSatisfy { $0.namespace == ada.home && $0.weight == .damage })
        try await shop.spoil("DELETE FROM journal WHERE revision = 2")
        #expect(Set(try await shop.check(full: false).of(.journal).compactMap(\.revision?.number)) == [2, 3, 4])
    }

    @Test("a head that is not the last commit is found")
    func head() async throws {
        let (shop, _) = try await filled()
        try await shop.spoil("UPDATE namespace SET revision = 4")
        let found = try await shop.check(full: false)
        #expect(!found.of(.journal).isEmpty)
        #expect(found.of(.tree).contains { $0.message.contains("behind the head") && $0.path == "/a/b/f" })
    }

    @Test("an entry whose folder is gone is found, from the revision on at which it is gone")
    func parents() async throws {
        let (shop, _) = try await filled()
        try await shop.spoil("UPDATE node SET valid_to = 4 WHERE name = $1", [.blob(Array("b".utf8))])
        let gone = try await faults(shop, "not there")
        #expect(Set(gone.compactMap(\.revision?.number)) == [4, 5])
        try await shop.spoil("DELETE FROM node WHERE name = $1", [.blob(Array("b".utf8))])
        #expect(try await faults(shop, "not there").map(\.revision?.number) == [3, 5])
        let file = try await node("g", shop)
        try await shop.spoil("UPDATE node SET parent = $1 WHERE name = $2", [file, .blob(Array("f".utf8))])
        #expect(try await faults(shop, "not there").count == 2, "a file is no folder")
    }

    @Test("two rows of a node at one revision are found")
    func overlaps() async throws {
        let (shop, _) = try await filled()
        try await shop.spoil(
            "UPDATE node SET valid_to = 9 WHERE name = $1 AND valid_from = 3", [.blob(Array("f".utf8))])
        let found = try await faults(shop, "two rows")
        #expect(found.map(\.revision) == [Revision(5)])
        #expect(found[0].path == "/a/b/f")
    }

    @Test("two entries of one name at one revision are found, in the past and at the head")
    func names() async throws {
        let (shop, _) = try await filled()
        let twin = """
            INSERT INTO node (namespace, node, valid_from, valid_to, parent, name, kind, mode, modified)
            SELECT namespace, $1, $2, $3, parent, name, 0, mode, modified FROM node WHERE name = $4 AND valid_to IS NULL
            """
        let name = SQLValue.blob(Array("f".utf8))
        let (one, two) = (PackID(high: 7, low: 1).bytes, PackID(high: 7, low: 2).bytes)
        try await shop.spoil(twin, [.blob(one), .integer(3), .integer(4), name])
        #expect(try await faults(shop, "shares its name").count == 1)
        try await shop.spoil(twin, [.blob(two), .integer(5), .integer(6), name])
        #expect(try await faults(shop, "shares its name").count == 2)
        try await shop.spoil("DELETE FROM node WHERE node = $1", [.blob(one)])
        #expect(try await faults(shop, "shares its name").map(\.revision) == [Revision(5)])
    }

    @Test("folders that lie in each other are found")
    func circles() async throws {
        let (shop, _) = try await filled()
        let (a, b) = (try await node("a", shop), try await node("b", shop))
        try await shop.spoil("UPDATE node SET parent = $1, valid_from = 2 WHERE node = $2", [b, a])
        let found = try await faults(shop, "lies in itself")
        #expect(Set(found.compactMap { $0.node?.bytes }) == [try #require(bytes(a)), try #require(bytes(b))])
        #expect(found.allSatisfy { $0.path == nil })
    }

    private func bytes(_ value: SQLValue) -> [UInt8]? {
        if case .blob(let bytes) = value { bytes } else { nil }
    }
}
