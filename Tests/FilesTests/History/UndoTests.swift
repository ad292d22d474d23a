import Metadata
import Model
import TestSupport
import Testing

@testable import Files

@Suite("Taking back what a device did")
struct UndoTests {
    private func undo(
        _ shop: Workshop, _ device: String, since: Timestamp, until: Timestamp? = nil, _ path: String = "/",
        dryRun: Bool = false, by who: Principal
    ) async throws -> HistoryOutcome {
        let scope = UndoDevice.Scope(device: device, since: since, until: until, path: try RemotePath(path))
        return try await UndoDevice(shop.context)(scope, dryRun: dryRun, in: who.home, by: who)
    }

    @Test("a device encrypts a whole tree while another edits two files of it: all comes back but the two")
    func ransomware() async throws {
        let shop = try await Workshop()
        let laptop = try await shop.account()
        let phone = try await shop.logIn(device: "phone").principal
        for folder in ["/docs", "/docs/old", "/photos"] { try await shop.makeFolder(folder, by: phone) }
        var bytes: [String: [UInt8]] = [:]
        for number in 0..<24 {
            let path = ["/docs", "/docs/old", "/photos"][number % 3] + "/file\(number).txt"
            bytes[path] = SeededGenerator.bytes(of: UInt64(number))
            try await shop.write(path, bytes[path] ?? [], by: phone)
        }
        let nodes = try await shop.tree(of: phone)
        shop.clock.advance(by: .seconds(3600))
        let start = shop.clock.now()
        shop.clock.advance(by: .seconds(1))
        for (index, path) in bytes.keys.sorted().enumerated() {
            // One file is edited before its turn comes, one after: the phone knows it by its new name.
            if index == 10 {
                bytes[path] = Array("edited before".utf8)
                try await shop.write(path, bytes[path] ?? [], by: phone)
            }
            try await shop.write(path, SeededGenerator.bytes(of: 1000 + UInt64(index)), by: laptop)
            try await shop.move(path, path + ".locked", by: laptop)
        }
        try await shop.write("/docs/HOW TO PAY.txt", [1], by: laptop)
        let edited = bytes.keys.sorted()[5]
        try await shop.write(edited + ".locked", Array("edited after".utf8), by: phone)

        let dry = try await undo(shop, "laptop", since: start, dryRun: true, by: phone)
        let outcome = try await undo(shop, "laptop", since: start, by: phone)
        #expect(dry.changes == outcome.changes && dry.changeCount == 24)
        #expect(outcome.commits == 1)
        #expect(outcome.left.map(\.path.description) == [edited + ".locked"])
        for (path, content) in bytes where path != edited { #expect(try await shop.read(path, by: phone) == content) }
        #expect(try await shop.read(edited + ".locked", by: phone) == Array("edited after".utf8))
        #expect(try await shop.node("/docs/HOW TO PAY.txt", by: phone) == nil)
        let after = try await shop.tree(of: phone)
        #expect(Set(after.keys.map { $0.suffix(32) }) == Set(nodes.keys.map { $0.suffix(32) }))
        let again = try await undo(shop, "laptop", since: start, by: phone)
        #expect(again.changeCount == 0 && again.left == outcome.left)
    }

    @Test("only the window, the folder and the device that were named count")
    func scope() async throws {
        let shop = try await Workshop()
        let laptop = try await shop.account()
        let phone = try await shop.logIn(device: "phone").principal
        try await shop.makeFolder("/d", by: laptop)
        for path in ["/d/a", "/d/b", "/c", "/e"] { try await shop.write(path, [1], by: laptop) }
        shop.clock.advance(by: .seconds(10))
        let first = shop.clock.now()
        for path in ["/d/a", "/c"] { try await shop.write(path, [2], by: laptop) }
        shop.clock.advance(by: .seconds(10))
        let second = shop.clock.now()
        try await shop.write("/d/b", [3], by: laptop)
        try await shop.write("/e", [3], by: phone)
        shop.clock.advance(by: .seconds(10))
        func contents() async throws -> [UInt8] {
            var found: [UInt8] = []
            for path in ["/d/a", "/d/b", "/c", "/e"] { found += try await shop.read(path, by: phone) }
            return found
        }
        let outcome = try await undo(shop, "laptop", since: first, until: first, "/d", by: phone)
        #expect(outcome.changes.map(\.path.description) == ["/d/a"])
        #expect(try await contents() == [1, 3, 2, 3])
        _ = try await undo(shop, laptop.device.hex, since: second, by: phone)
        #expect(try await contents() == [1, 1, 2, 3])
        _ = try await undo(shop, "laptop", since: first, "/c", by: phone)
        #expect(try await contents() == [1, 1, 1, 3])
        let nothing = try await undo(shop, "phone", since: second, until: second, "/d", by: laptop)
        #expect(nothing.changeCount == 0)
    }

    @Test("what can't be taken back without harm to others is left and named")
    func entangled() async throws {
        let shop = try await Workshop()
        let laptop = try await shop.account()
        let phone = try await shop.logIn(device: "phone").principal
        for path in ["/a", "/gone"] { try await shop.write(path, [1], by: laptop) }
        shop.clock.advance(by: .seconds(10))
        let start = shop.clock.now()
        try await shop.makeFolder("/made", by: laptop)
        try await shop.write("/made/mine", [1], by: laptop)
        try await shop.write("/made/yours", [1], by: phone)
        try await shop.move("/a", "/b", by: laptop)
        try await shop.write("/a", [2], by: phone)
        try await shop.remove("/gone", by: laptop)
        let outcome = try await undo(shop, "laptop", since: start, by: phone)
        #expect(
            Dictionary(uniqueKeysWithValues: outcome.left.map { ($0.path.description, $0.reason) }) == [
                "/b": .nameTaken, "/made": .folderNotEmpty,
            ])
        #expect(try await shop.paths(of: phone) == ["/a", "/b", "/gone", "/made", "/made/yours"])
    }

    @Test("a version that is not kept is left as it is and named")
    func thinned() async throws {
        let shop = try await Workshop()
        let laptop = try await shop.account()
        try await shop.write("/a", [1], by: laptop)
        shop.clock.advance(by: .seconds(10))
        let start = shop.clock.now()
        try await shop.write("/a", [2], by: laptop)
        try await shop.thin("/a", 1, by: laptop)
        let outcome = try await undo(shop, "laptop", since: start, by: laptop)
        #expect(outcome.left.map(\.reason) == [.notKept])
        #expect(try await shop.read("/a", by: laptop) == [2])
    }

    @Test("an edit of another device that comes between plan and commit is kept")
    func concurrent() async throws {
        let shop = try await Workshop()
        let laptop = try await shop.account()
        let phone = try await shop.logIn(device: "phone").principal
        for path in ["/a", "/b"] { try await shop.write(path, [1], by: phone) }
        shop.clock.advance(by: .seconds(10))
        let start = shop.clock.now()
        for path in ["/a", "/b"] { try await shop.write(path, [2], by: laptop) }
        let context = shop.interrupted(by: [{ try await shop.write("/a", [3], by: phone) }])
        let outcome = try await UndoDevice(context)(
            UndoDevice.Scope(device: "laptop", since: start), in: phone.home, by: phone)
        #expect(outcome.left.map(\.path.description) == ["/a"])
        #expect(try await shop.read("/a", by: phone) == [3])
        #expect(try await shop.read("/b", by: phone) == [1])
    }

    @Test("a device that is not there, or a name that several have, is refused")
    func devices() async throws {
        let shop = try await Workshop()
        let ada = try await shop.account()
        let now = shop.clock.now()
        await #expect(throws: FilesError(.notFound, "")) { try await undo(shop, "none", since: now, by: ada) }
        _ = try await shop.logIn(device: "laptop")
        await #expect(throws: FilesError(.conflict, "")) { try await undo(shop, "laptop", since: now, by: ada) }
        let later = now.advanced(by: .seconds(99))
        await #expect(throws: FilesError(.invalidRequest, "")) {
            try await undo(shop, ada.device.hex, since: later, until: now, by: ada)
        }
        let bob = try await shop.account("bob", device: "bobs")
        await #expect(throws: FilesError(.notFound, "")) { try await undo(shop, ada.device.hex, since: now, by: bob) }
        await #expect(throws: FilesError(.notFound, "")) {
            let scope = UndoDevice.Scope(device: bob.device.hex, since: now)
            return try await UndoDevice(shop.context)(scope, in: ada.home, by: bob)
        }
    }
}

extension SeededGenerator {
    /// Some thousand bytes.
    fileprivate static func bytes(of seed: UInt64) -> [UInt8] {
        var generator = SeededGenerator(seed: seed)
        return generator.bytes(2000)
    }
}
