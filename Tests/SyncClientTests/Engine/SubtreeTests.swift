import Model
import Synchronization
import TestSupport
import Testing

@testable import SyncClient

@Suite("A link to a folder of the namespace")
struct SubtreeTests {
    let server = MemoryServer()
    let remote: RemotePath

    init() throws { remote = try RemotePath("/photos/2026") }

    /// A device that has the whole namespace, and one that has only the folder.
    private func devices() throws -> (whole: TestDevice, part: TestDevice) {
        (try TestDevice("whole", server), try TestDevice("part", server))
    }

    private func settle(_ whole: TestDevice, _ part: TestDevice) async throws {
        for _ in 0..<3 {
            try await whole.sync()
            try await part.sync(remote: remote)
        }
        let inside = whole.tree.filter { $0.key.hasPrefix("photos/2026/") }
        let expected = Dictionary(
            uniqueKeysWithValues: inside.map { (String($0.key.dropFirst("photos/2026/".count)), $0.value) })
        #expect(part.tree == expected)
    }

    @Test("only what is in the folder comes, and what is made here goes there")
    func both() async throws {
        let (whole, part) = try devices()
        try whole.write("photos/2026/one", "1")
        try whole.write("photos/2025/old", "0")
        try whole.write("top", "top")
        try await whole.sync()
        try part.write("two", "2")
        try await settle(whole, part)
        #expect(whole.read("photos/2026/two") == "2")
        #expect(part.tree.keys.sorted() == ["one", "two"])
    }

    @Test("the folder is made on the server where it is missing")
    func missing() async throws {
        let (whole, part) = try devices()
        try part.write("first", "1")
        try await part.sync(remote: remote)
        try await whole.sync()
        #expect(whole.read("photos/2026/first") == "1")
    }

    @Test("what is moved out is gone here, with all that is in it; what is moved in comes with all that is in it")
    func moves() async throws {
        let (whole, part) = try devices()
        try whole.write("photos/2026/trip/day 1", "1")
        try whole.write("photos/2026/trip/more/day 2", "2")
        try whole.write("photos/2026/stays", "s")
        try whole.write("other/inner/deep/file", "deep")
        try await settle(whole, part)
        try whole.move("photos/2026/trip", "trip")
        try whole.move("other/inner", "photos/2026/inner")
        try await settle(whole, part)
        #expect(part.tree.keys.sorted() == ["inner", "inner/deep", "inner/deep/file", "stays"])
        #expect(whole.read("trip/more/day 2") == "2")
    }

    @Test("a rename of a folder around it changes nothing here; its own removal stops the link and deletes nothing")
    func ancestors() async throws {
        let (whole, part) = try devices()
        try whole.write("photos/2026/one", "1")
        try await settle(whole, part)
        try whole.move("photos", "pictures")
        try await whole.sync()
        let outcome = try await part.sync(remote: remote)
        #expect(outcome.problems.isEmpty)
        #expect(part.read("one") == "1")
        try whole.remove("pictures")
        try await whole.sync()
        #expect(await failure { try await part.sync(remote: remote) } == .notOnServer)
        #expect(part.read("one") == "1")
    }

    @Test("changes elsewhere in the namespace move the cursor and nothing else")
    func elsewhere() async throws {
        let (whole, part) = try devices()
        try whole.write("photos/2026/one", "1")
        try await settle(whole, part)
        try whole.write("elsewhere/file", "e")
        try await whole.sync()
        try await part.sync(remote: remote)
        let cursor = try part.database.link(try await part.linkID()).cursor.revision
        #expect(cursor == server.head.revision)
        #expect(part.tree.keys.sorted() == ["one"])
        let overlay = try part.database.read { try RemoteQueries($0, link: LinkID(rawValue: 1)).overlay() }
        #expect(overlay.isEmpty)
    }
}
