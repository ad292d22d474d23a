import Files
import Metadata
import Model
import TestSupport
import Testing

@Suite("The versions of files")
struct VersionTests {
    private func words(_ entries: [ListVersions.Entry]) -> [String] {
        entries.map { entry in
            let changes = entry.changes.map(\.rawValue).joined(separator: "+")
            return "\(entry.revision) \(changes)\(entry.path.map { " \($0)" } ?? "")"
        }
    }

    @Test("each version says when, by which device and what was changed")
    func history() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let phone = try await shop.logIn(device: "phone").principal
        try await shop.write("/a", [1], by: ada)
        shop.clock.advance(by: .seconds(60))
        try await shop.write("/a", [1, 2], by: phone)
        try await shop.move("/a", "/b", by: ada)
        try await shop.makeFolder("/d", by: ada)
        try await shop.move("/b", "/d/b", by: ada)
        try await shop.remove("/d/b", by: phone)
        let nodes = try await shop.versions("/d/b", by: ada)
        #expect(nodes.count == 1)
        #expect(nodes[0].path == nil)
        #expect(
            words(nodes[0].entries) == ["6 deleted", "5 moved /d/b", "3 renamed /b", "2 edited", "1 made /a"])
        #expect(nodes[0].entries.map(\.deviceName) == ["phone", "laptop", "laptop", "phone", "laptop"])
        #expect(nodes[0].entries.map { $0.state.payload.content?.size } == [2, 2, 2, 2, 1])
        #expect(nodes[0].entries.allSatisfy { !$0.isPresent && $0.isKept })
        let times = nodes[0].entries.compactMap(\.time)
        #expect(times.count == 5 && times[3].nanoseconds - times[4].nanoseconds >= 60_000_000_000)
        // By its earlier paths it is found as well.
        #expect(try await shop.versions("/a", by: ada) == nodes)
        _ = try await shop.restore("/d/b", by: ada)
        let restored = try await shop.versions("/d/b", by: ada)[0]
        #expect(words(restored.entries)[0] == "7 restored /d/b")
        #expect(restored.entries[0].isPresent && restored.path?.description == "/d/b")
    }

    @Test("of several files that had a path the present one comes first, then the one that left last")
    func severalNodes() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        for byte in 1...3 as ClosedRange<UInt8> {
            try await shop.write("/f", [byte], by: ada)
            if byte < 3 { try await shop.remove("/f", by: ada) }
        }
        let nodes = try await shop.versions("/f", by: ada)
        #expect(
            nodes.map { words($0.entries) } == [
                ["5 made /f"], ["4 deleted", "3 made /f"], ["2 deleted", "1 made /f"],
            ])
        await #expect(throws: FilesError(.notFound, "")) { try await shop.versions("/g", by: ada) }
        await #expect(throws: FilesError(.invalidPath, "")) { try await shop.versions("/", by: ada) }
        let bob = try await shop.account("bob")
        await #expect(throws: FilesError(.notFound, "")) {
            try await ListVersions(shop.context)(RemotePath("/f"), in: ada.home, by: bob)
        }
    }

    @Test("many versions come in pages that fit together")
    func pages() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        for byte in 0..<9 as Range<UInt8> { try await shop.write("/f", [byte], by: ada) }
        try await shop.remove("/f", by: ada)
        let whole = try await shop.versions("/f", by: ada)[0]
        for limit in 1...10 {
            var (entries, before, pages) = ([ListVersions.Entry](), Revision?.none, 0)
            repeat {
                let page = try await ListVersions(shop.context)(
                    RemotePath("/f"), node: whole.node, before: before, limit: limit, in: ada.home, by: ada)[0]
                entries += page.entries
                before = page.next
                pages += 1
            } while before != nil
            #expect(entries == whole.entries)
            #expect(pages == (9 + limit - 1) / limit)
        }
        for limit in [0, 10_001] {
            await #expect(throws: FilesError(.invalidRequest, "")) {
                try await ListVersions(shop.context)(RemotePath("/f"), limit: limit, in: ada.home, by: ada)
            }
            await #expect(throws: FilesError(.invalidRequest, "")) {
                try await ListDeleted(shop.context)(.root, limit: limit, in: ada.home, by: ada)
            }
        }
    }

    @Test("versions that are not kept are shown only when asked for, and never read")
    func thinned() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        for byte in 1...5 as ClosedRange<UInt8> { try await shop.write("/f", [byte], by: ada) }
        for revision in [2, 3] as [UInt64] { try await shop.thin("/f", revision, by: ada) }
        let shown = try await shop.versions("/f", by: ada)[0]
        #expect(words(shown.entries) == ["5 edited", "4 edited", "1 made /f"])
        #expect(shown.hidden == 2)
        let all = try await shop.versions("/f", all: true, by: ada)[0]
        #expect(all.entries.map(\.isKept) == [true, true, false, false, true])
        #expect(all.hidden == 0)
        #expect(try await shop.read("/f", at: .at(4), by: ada) == [4])
        let error = await #expect(throws: FilesError.self) { try await shop.read("/f", at: .at(3), by: ada) }
        #expect(error?.code == .versionNotKept)
        #expect(error?.message.contains("revision 1 and 4") == true)
        await #expect(throws: FilesError(.versionNotKept, "")) { try await shop.restore("/f", at: .at(2), by: ada) }
        #expect(try await shop.read("/f", by: ada) == [5])
    }

    @Test("any past tree is read as it was: by revision and by time")
    func past() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let start = shop.clock.now()
        try await shop.write("/a", [1], by: ada)
        shop.clock.advance(by: .seconds(10))
        try await shop.makeFolder("/d", by: ada)
        try await shop.move("/a", "/d/a", by: ada)
        shop.clock.advance(by: .seconds(10))
        try await shop.write("/d/a", [2], by: ada)
        try await shop.remove("/d", by: ada)
        func list(_ path: String, _ point: PastPoint) async throws -> [String] {
            try await ListFolder(shop.context)(RemotePath(path), at: point, in: ada.home, by: ada).entries.map(
                \.state.name.description)
        }
        #expect(try await list("/", .at(0)).isEmpty)
        #expect(try await list("/", .at(1)) == ["a"])
        #expect(try await list("/d", .at(3)) == ["a"])
        #expect(try await list("/", .time(start)) == ["a"])
        #expect(try await list("/", .time(start.advanced(by: .nanoseconds(-1)))).isEmpty)
        #expect(try await list("/", .time(start.advanced(by: .seconds(11)))) == ["d"])
        #expect(try await shop.read("/a", at: .at(2), by: ada) == [1])
        #expect(try await shop.read("/d/a", at: .at(3), by: ada) == [1])
        #expect(try await shop.read("/d/a", at: .at(4), by: ada) == [2])
        let head = try await shop.head(ada)
        await #expect(throws: FilesError(.notFound, "")) { try await shop.read("/d/a", at: .at(head), by: ada) }
        await #expect(throws: FilesError(.notFound, "")) { try await list("/d", .at(1)) }
        await #expect(throws: FilesError(.conflict, "")) { try await list("/a", .at(1)) }
        await #expect(throws: FilesError(.invalidRequest, "")) { try await list("/", .at(head + 1)) }
        await #expect(throws: FilesError(.invalidRequest, "")) { try await shop.read("/a", at: .at(99), by: ada) }
    }

    @Test("what was deleted is listed below any folder, the newest first, what went together once")
    func deleted() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        try await shop.makeFolder("/d/e", by: ada)
        for path in ["/x", "/d/a", "/d/e/b", "/keep"] { try await shop.write(path, [1], by: ada) }
        try await shop.remove("/x", by: ada)
        try await shop.remove("/d/e/b", by: ada)
        try await shop.write("/d/e/c", [1], by: ada)
        try await shop.remove("/d", by: ada)
        func list(_ path: String, limit: Int = 1000) async throws -> [String] {
            var (found, after) = ([String](), ChangePosition?.none)
            repeat {
                let page = try await ListDeleted(shop.context)(
                    RemotePath(path), after: after, limit: limit, in: ada.home, by: ada)
                found += page.entries.map { "\($0.path)" }
                after = page.next
            } while after != nil
            return found
        }
        for limit in [1, 2, 1000] {
            #expect(try await list("/", limit: limit) == ["/d", "/d/e/b", "/x"])
        }
        #expect(try await list("/d/e") == ["/d/e/c", "/d/e/b"])
        #expect(Set(try await list("/d")) == ["/d/a", "/d/e", "/d/e/b"])
        _ = try await shop.restore("/d", by: ada)
        #expect(try await list("/") == ["/d/e/b", "/x"])
        await #expect(throws: FilesError(.notFound, "")) { try await list("/never") }
    }

    @Test("pins are for kept versions of files, and are shown with them")
    func pins() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let pin = PinVersion(shop.context)
        for byte in 1...4 as ClosedRange<UInt8> { try await shop.write("/f", [byte], by: ada) }
        try await shop.makeFolder("/d", by: ada)
        try await shop.thin("/f", 2, by: ada)
        let path = try RemotePath("/f")
        let first = try await pin(path, at: nil, name: "now", in: ada.home, by: ada)
        #expect(first.revision == Revision(4) && first.device == ada.device)
        // The version that was there at revision 5 is that of revision 4.
        _ = try await pin(path, at: .at(5), name: "signed", in: ada.home, by: ada)
        _ = try await pin(path, at: .at(1), name: "draft", in: ada.home, by: ada)
        func names() async throws -> [String?] { try await shop.versions("/f", by: ada)[0].entries.map(\.pin) }
        #expect(try await names() == ["signed", nil, "draft"])
        await #expect(throws: FilesError(.versionNotKept, "")) {
            try await pin(path, at: .at(2), name: "x", in: ada.home, by: ada)
        }
        await #expect(throws: FilesError(.conflict, "")) {
            try await pin(RemotePath("/d"), at: nil, name: "x", in: ada.home, by: ada)
        }
        await #expect(throws: FilesError(.notFound, "")) {
            try await pin(RemotePath("/none"), at: nil, name: "x", in: ada.home, by: ada)
        }
        for name in ["", "a\nb", String(repeating: "x", count: 201)] {
            await #expect(throws: FilesError(.invalidRequest, "")) {
                try await pin(path, at: nil, name: name, in: ada.home, by: ada)
            }
        }
        #expect(try await pin.remove(path, at: .at(1), in: ada.home, by: ada) == 1)
        #expect(try await names() == ["signed", nil, nil])
        await #expect(throws: FilesError(.notFound, "")) {
            try await pin.remove(path, at: .at(1), in: ada.home, by: ada)
        }
        try await shop.remove("/f", by: ada)
        #expect(try await pin.remove(path, at: nil, in: ada.home, by: ada) == 1)
    }
}
