import Blocks
import Files
import Foundation
import Metadata
import MetadataSQLite
import Model
import Storage
import StorageLocal
import TestSupport
import Testing

@testable import cairn_server

@Suite("Exports")
final class ExportTests {
    private let directory = TemporaryDirectory()
    private var data: String { directory.appending("data") }
    private var out: String { directory.appending("out") }
    private var failures: [String] = []
    private var listed: [String] = []

    private func bytes(_ count: Int, _ seed: UInt64) -> [UInt8] {
        var generator = SeededGenerator(seed: seed)
        return generator.bytes(count)
    }

    private func export(
        _ served: ServedFolder, at revision: Revision, dry: Bool = false
    ) async throws -> ExportTree.Outcome {
        let database = try served.folder.reader()
        let key = try KeyRingFile(path: served.folder.keyRing).keyRing().unwrap(
            WrappedKey(masterKey: served.account.masterKey, bytes: served.account.wrappedKey), for: served.account.id)
        let contents = StoredContents(
            database: database, regions: [ReadOnlyPackRegion(directory: served.folder.packs)],
            workers: WorkerPool(workers: 2), account: served.account.id, key: key)
        let tree = ExportTree(
            database: database, contents: contents, namespace: served.home, revision: revision, isDry: dry,
            list: { self.listed.append($0) }, fail: { path, _ in self.failures.append(path) })
        if !dry { try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true) }
        let outcome = try await tree(to: ExportPath(out))
        try await database.close()
        return outcome
    }

    private func read(_ path: String) -> [UInt8]? {
        (try? Data(contentsOf: URL(fileURLWithPath: "\(out)/\(path)"))).map { [UInt8]($0) }
    }

    @Test("files are written as they were, with permissions and times")
    func files() async throws {
        let served = try await ServedFolder(data)
        let (one, two) = (bytes(30_000, 1), bytes(40, 2))
        try await served.put("/a/b/one", one)
        let past = try await served.put("/empty", [])
        try await served.put("/a/b/one", two)
        let outcome = try await export(served, at: past)
        #expect(outcome.files == 2 && outcome.folders == 2 && outcome.bytes == 30_000 && outcome.failures == 0)
        #expect(read("a/b/one") == one && read("empty") == [])
        var status = stat()
        #expect(stat("\(out)/a/b/one", &status) == 0)
        #expect(status.st_mode & 0o7777 == 0o644)
        #expect(status.st_mtim.tv_sec == 1_600_000_000 && status.st_mtim.tv_nsec == 123_456_789)
        try await served.close()
    }

    @Test("names that are no text, links and empty folders are written")
    func names() async throws {
        let served = try await ServedFolder(data)
        try await served.put("/a", [1])
        let name: [UInt8] = [0x66, 0xFF, 0x2E]
        let insert = """
            INSERT INTO node (namespace, node, valid_from, parent, name, kind, target, mode, modified)
            VALUES ($1, $2, 1, $3, $4, $5, $6, $7, 1600000000000000001)
            """
        let home = SQLValue.blob(served.home.bytes)
        let (folder, link) = (NodeID(high: 9, low: 1), NodeID(high: 9, low: 2))
        try await served.spoil(
            insert,
            [home, .blob(folder.bytes), .blob(NodeID.root.bytes), .blob(name), .integer(0), .null, .integer(0o4751)])
        try await served.spoil(
            insert,
            [
                home, .blob(link.bytes), .blob(folder.bytes), .blob(Array("l".utf8)), .integer(2),
                .blob(Array("../nowhere".utf8)), .integer(0o777),
            ])
        let outcome = try await export(served, at: Revision(1))
        #expect(outcome.links == 1 && outcome.folders == 1 && outcome.failures == 0)
        let place = try ExportPath(out).appending(NodeName(bytes: name))
        var status = stat()
        #expect(place.withCPath { stat($0, &status) } == 0)
        #expect(status.st_mode & 0o7777 == 0o751, "rights are not lent")
        #expect(status.st_mtim.tv_nsec == 1, "times are set when the folder is complete")
        var target = [CChar](repeating: 0, count: 100)
        let count = try place.appending(NodeName("l")).withCPath { readlink($0, &target, 99) }
        #expect(count == 10)
        try await served.close()
    }

    @Test("what can't be read is named, leaves no file, and costs nothing else")
    func partial() async throws {
        let served = try await ServedFolder(data)
        let good = bytes(9000, 1)
        try await served.put("/good", good)
        try await served.put("/bad", bytes(50, 2))
        try await served.put("/thin", bytes(50, 3))
        try await served.spoil(
            "UPDATE block SET place = place + 1 WHERE id = (SELECT digest FROM node WHERE name = CAST('bad' AS BLOB))")
        try await served.spoil("UPDATE node SET thinned = 1 WHERE name = CAST('thin' AS BLOB)")
        let outcome = try await export(served, at: Revision(3))
        #expect(failures == ["/bad", "/thin"])
        #expect(outcome.failures == 2 && outcome.files == 1)
        #expect(read("good") == good)
        #expect(try FileManager.default.contentsOfDirectory(atPath: out) == ["good"])
        try await served.close()
    }

    @Test("a dry run writes nothing, and names what is missing")
    func dry() async throws {
        let served = try await ServedFolder(data)
        try await served.put("/a/good", bytes(9000, 1))
        try await served.put("/bad", bytes(50, 2))
        try await served.spoil("DELETE FROM block WHERE plain_length = 50")
        let outcome = try await export(served, at: Revision(2), dry: true)
        #expect(listed == ["/a/", "/a/good", "/bad"])
        #expect(failures == ["/bad"] && outcome.files == 1)
        #expect(!FileManager.default.fileExists(atPath: out))
        try await served.close()
    }

    @Test("what is there already is not written over")
    func existing() async throws {
        let served = try await ServedFolder(data)
        try await served.put("/a", [1, 2])
        try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
        try Data([9]).write(to: URL(fileURLWithPath: out + "/a"))
        #expect(try await export(served, at: Revision(1)).failures == 1)
        #expect(read("a") == [9])
        try await served.close()
    }

    @Test(
        "moments",
        arguments: [
            ("12", ExportMoment.revision(Revision(12))),
            ("2026-01-02", .time(Timestamp(nanoseconds: 1_767_312_000_000_000_000))),
            ("2026-01-02T03:04:05", .time(Timestamp(nanoseconds: 1_767_323_045_000_000_000))),
            ("2026-01-02T03:04:05Z", .time(Timestamp(nanoseconds: 1_767_323_045_000_000_000))),
            ("2026-01-02T05:04:05+02:00", .time(Timestamp(nanoseconds: 1_767_323_045_000_000_000))),
            ("2026-01-02T03:04:05.678Z", .time(Timestamp(nanoseconds: 1_767_323_045_678_000_000))),
        ])
    func moments(text: String, moment: ExportMoment) {
        #expect(ExportMoment(argument: text) == moment)
    }

    @Test(
        "what is no moment",
        arguments: [
            "", "-1", "+12", "1.5", "yesterday", "2026-13-01", "2026-02-30", "2026-01-02 03:04:05", "T", "9999-12-31",
            "2026-01-02T24:00:00Z", "2026-01-02T03:04:05Zjunk",
        ])
    func noMoment(text: String) { #expect(ExportMoment(argument: text) == nil) }
}
