import Files
import Metadata
import Model
import Testing
import WireProtocol

@Suite("Folders and names")
struct TreeTests {
    private func names(_ path: String, _ shop: Workshop, _ who: Principal) async throws -> [String] {
        try await ListFolder(shop.context)(RemotePath(path), in: who.home, by: who).entries.map(
            \.state.name.description)
    }

    @Test("folders are made once, and only in folders")
    func makeFolder() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let make = MakeFolder(shop.context)
        #expect(try await make(RemotePath("/a"), in: ada.home, by: ada).revision == Revision(1))
        await #expect(throws: FilesError(.alreadyExists, "")) {
            try await make(RemotePath("/a"), in: ada.home, by: ada)
        }
        await #expect(throws: FilesError(.alreadyExists, "")) { try await make(.root, in: ada.home, by: ada) }
        await #expect(throws: FilesError(.conflict, "")) { try await make(RemotePath("/x/y"), in: ada.home, by: ada) }
        #expect(try await make(RemotePath("/x/y/z"), parents: true, in: ada.home, by: ada).revision == Revision(2))
        #expect(try await names("/x/y", shop, ada) == ["z"])
        try await shop.write("/f", [1], by: ada)
        await #expect(throws: FilesError(.conflict, "")) { try await make(RemotePath("/f/y"), in: ada.home, by: ada) }
    }

    @Test("a move keeps what is in a folder, and overwrites nothing")
    func move() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let move = MoveNode(shop.context)
        _ = try await MakeFolder(shop.context)(RemotePath("/a/b"), parents: true, in: ada.home, by: ada)
        try await shop.write("/a/b/f", [1], by: ada)
        try await shop.write("/g", [2], by: ada)
        _ = try await move(from: RemotePath("/a"), to: RemotePath("/c"), in: ada.home, by: ada)
        #expect(try await shop.read("/c/b/f", by: ada) == [1])
        func refused(_ from: String, _ to: String, _ code: FilesError.Code) async {
            await #expect(throws: FilesError(code, ""), "\(from) to \(to)") {
                try await move(from: RemotePath(from), to: RemotePath(to), in: ada.home, by: ada)
            }
        }
        await refused("/g", "/c", .alreadyExists)
        await refused("/nothing", "/d", .notFound)
        await refused("/c", "/c/b/inside", .conflict)
        await refused("/g", "/nowhere/g", .conflict)
        await refused("/", "/d", .invalidPath)
        await refused("/g", "/", .alreadyExists)
        let before = try await shop.head(of: ada)
        #expect(try await move(from: RemotePath("/g"), to: RemotePath("/g"), in: ada.home, by: ada) == before)
    }

    @Test("a folder goes with all that is in it, in commits of bounded size, children first")
    func removeFolder() async throws {
        var limits = FilesLimits()
        limits.removalBatch = 7
        let shop = try await Workshop(limits: limits)
        let ada = try await shop.account()
        var options = WriteOptions()
        options.createParents = true
        for folder in ["/t", "/t/a", "/t/a/deep/er", "/t/z"] {
            for number in 0..<5 { try await shop.write("\(folder)/f\(number)", [1], options: options, by: ada) }
        }
        try await shop.write("/keep", [9], by: ada)
        let before = try await shop.head(of: ada).revision.number
        let head = try await RemoveNode(shop.context)(RemotePath("/t"), in: ada.home, by: ada)
        // 20 files and 5 folders.
        #expect(head.revision.number == before + 4)
        #expect(try await names("/", shop, ada) == ["keep"])
        for revision in before + 1...head.revision.number {
            let commit = try await shop.database.read { try CommitQueries($0).commit(Revision(revision), in: ada.home) }
            #expect(commit!.changeCount <= 7)
        }
        await #expect(throws: FilesError(.notFound, "")) {
            try await RemoveNode(shop.context)(RemotePath("/t"), in: ada.home, by: ada)
        }
    }

    @Test("a file is removed only in the version that was meant")
    func removeFile() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let old = try await shop.write("/f", [1], by: ada)
        let new = try await shop.write("/f", [2], by: ada)
        let remove = RemoveNode(shop.context)
        await #expect(throws: FilesError(.preconditionFailed, "")) {
            try await remove(
                RemotePath("/f"), if: Preconditions(ifMatch: .contents([old.content.id])), in: ada.home, by: ada)
        }
        _ = try await remove(
            RemotePath("/f"), if: Preconditions(ifMatch: .contents([new.content.id])), in: ada.home, by: ada)
        await #expect(throws: FilesError(.notFound, "")) { try await shop.read("/f", by: ada) }
        await #expect(throws: FilesError(.invalidPath, "")) { try await remove(.root, in: ada.home, by: ada) }
    }

    @Test("a folder is listed in pages")
    func pages() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        for number in 0..<7 { try await shop.write("/f\(number)", [1], by: ada) }
        let list = ListFolder(shop.context)
        var found: [String] = []
        var after: NodeName?
        repeat {
            let page = try await list(.root, after: after, limit: 3, in: ada.home, by: ada)
            found += page.entries.map(\.state.name.description)
            after = page.next
        } while after != nil
        #expect(found == (0..<7).map { "f\($0)" })
        for limit in [-1, 0, 10_001] {
            await #expect(throws: FilesError(.invalidRequest, "")) {
                try await list(.root, limit: limit, in: ada.home, by: ada)
            }
        }
        #expect(try await list(.root, limit: 10_000, in: ada.home, by: ada).entries.count == 7)
        await #expect(throws: FilesError(.notFound, "")) {
            try await list(.root, in: NamespaceID(high: 1, low: 1), by: ada)
        }
        await #expect(throws: FilesError(.notFound, "")) { try await list(RemotePath("/x"), in: ada.home, by: ada) }
        await #expect(throws: FilesError(.conflict, "")) { try await list(RemotePath("/f1"), in: ada.home, by: ada) }
    }

    @Test("changes since a cursor come in pages of one revision, whatever happens meanwhile")
    func changes() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        for number in 0..<10 { try await shop.write("/f\(number)", [UInt8(number)], by: ada) }
        let list = ListChanges(shop.context)
        let first = try await list(in: ada.home, since: .zero, limit: 4, by: ada)
        #expect(first.head == (try await shop.head(of: ada)))
        try await shop.write("/f3", [77], by: ada)
        var entries = first.slice.entries
        var next = first.slice.next
        while let after = next {
            let page = try await list(
                in: ada.home, since: .zero, upTo: first.head.revision, after: after, limit: 4, by: ada)
            #expect(page.head == first.head)
            entries += page.slice.entries
            next = page.slice.next
        }
        #expect(entries.map(\.revision.number) == Array(1...10))
        let rest = try await list(in: ada.home, since: first.head.revision, limit: 100, by: ada)
        #expect(rest.slice.entries.map(\.revision) == [Revision(11)])
        #expect(try await list(in: ada.home, since: Revision(11), limit: 100, by: ada).slice.entries.isEmpty)
    }

    @Test("bounds of changes that can't be are refused")
    func wrongBounds() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let list = ListChanges(shop.context)
        await #expect(throws: FilesError(.conflict, "")) {
            try await list(in: ada.home, since: Revision(1), limit: 9, by: ada)
        }
        await #expect(throws: FilesError(.invalidRequest, "")) {
            try await list(in: ada.home, since: .zero, upTo: Revision(9), limit: 9, by: ada)
        }
        for limit in [-1, 0, 10_001] {
            await #expect(throws: FilesError(.invalidRequest, "")) {
                try await list(in: ada.home, since: .zero, limit: limit, by: ada)
            }
        }
        #expect(try await list(in: ada.home, since: .zero, limit: 10_000, by: ada).slice.entries.isEmpty)
        await #expect(throws: FilesError(.notFound, "")) {
            try await list(in: NamespaceID(high: 1, low: 1), since: .zero, limit: 9, by: ada)
        }
    }
}
