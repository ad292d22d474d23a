import Files
import Foundation
import Metadata
import MetadataSQLite
import Model
import TestSupport
import Testing

@testable import cairn_server

@Suite("fsck of a data directory")
struct FsckTests {
    private let directory = TemporaryDirectory()
    private var data: String { directory.appending("data") }
    private var copy: String { directory.appending("copy") }

    private func filled(regions: [String] = []) async throws -> ServedFolder {
        let served = try await ServedFolder(data, regions: regions)
        var generator = SeededGenerator(seed: 1)
        try await served.put("/a/b", generator.bytes(20_000))
        try await served.put("/c", generator.bytes(50))
        return served
    }

    private func fsck(full: Bool = true, repair: Bool = false, regions: [String] = []) async throws -> Int32 {
        try await FsckRun(
            installation: try Installation(at: data), regions: regions, isFull: full, repairs: repair,
            report: FsckReport(isJSON: true, isVerbose: true))()
    }

    @Test("a whole one is clean, and nothing is changed")
    func clean() async throws {
        try await filled(regions: [copy]).close()
        let before = try ServedFolder.packs(copy).map { try Data(contentsOf: URL(fileURLWithPath: $0)) }
        #expect(try await fsck() == 0)
        #expect(try await fsck(full: false, repair: true) == 0)
        #expect(try await fsck(regions: [copy]) == 0)
        #expect(try ServedFolder.packs(copy).map { try Data(contentsOf: URL(fileURLWithPath: $0)) } == before)
    }

    @Test("damage is left, then repaired, then gone: 4, 1, 0")
    func codes() async throws {
        try await filled(regions: [copy]).close()
        try ServedFolder.flip(try #require(try ServedFolder.packs(copy).first), at: 900)
        #expect(try await fsck(full: false) == 0)
        #expect(try await fsck() == 4)
        #expect(try await fsck(repair: true) == 1)
        #expect(try await fsck() == 0)
    }

    @Test("a region whose directory is lost is not checked, and is filled once it was added again")
    func lostRegion() async throws {
        let served = try await filled(regions: [copy])
        try await served.close()
        let pack = try Data(contentsOf: URL(fileURLWithPath: try #require(try ServedFolder.packs(copy).first)))
        try FileManager.default.removeItem(atPath: copy)
        #expect(try await fsck() == 8)
        #expect(try await fsck(repair: true) == 8)
        #expect(!FileManager.default.fileExists(atPath: copy), "what may be a disk that is not mounted is not filled")
        let database = try SQLiteMetadataDatabase(path: served.folder.database)
        _ = try await RegionSet(database: database, clock: ManualClock()).add(copy, adopting: false)
        try await database.close()
        #expect(try await fsck() == 4)
        #expect(try await fsck(repair: true) == 1)
        #expect(try await fsck() == 0)
        let filled = try #require(try ServedFolder.packs(copy).first)
        #expect(try Data(contentsOf: URL(fileURLWithPath: filled)) == pack)
        // The server takes it as it is.
        let again = try await ServedFolder(data, regions: [copy], seed: 2)
        try await again.put("/d", [1])
        try await again.close()
        #expect(try await fsck() == 0)
    }

    @Test("a region that was not named is told when others are")
    func notNamed() async throws {
        try await filled(regions: [copy, directory.appending("third")]).close()
        #expect(try await fsck(regions: [copy]) == 8)
        #expect(try await fsck() == 0)
    }

    @Test("while a server runs it says what to do")
    func locked() async throws {
        let served = try await filled()
        try await served.close()
        let lock = try served.folder.takeLock()
        let failure = try await #require(throws: Failure.self) { try await fsck() }
        #expect(failure.code == .unavailable)
        #expect(failure.message.contains("stop it") && failure.message.contains("backup"))
        close(lock)
        #expect(try await fsck() == 0)
    }

    @Test("what holds no database is refused")
    func noDatabase() async throws {
        _ = try DataFolder(data, create: true)
        let failure = try await #require(throws: Failure.self) { try await fsck() }
        #expect(failure.code == .configuration)
    }

    @Test("a directory that no server has run on has nothing to check")
    func fresh() async throws {
        let database = try SQLiteMetadataDatabase(path: try DataFolder(data, create: true).database)
        try await database.close()
        #expect(try await fsck() == 0)
    }

    @Test("a keyring that is gone or another one is damage, and the rest is checked")
    func keyRing() async throws {
        let served = try await filled()
        try await served.close()
        try FileManager.default.removeItem(atPath: served.folder.keyRing)
        #expect(try await fsck() == 4)
        let other = try await ServedFolder(directory.appending("other"))
        try await other.close()
        try FileManager.default.copyItem(atPath: other.folder.keyRing, toPath: served.folder.keyRing)
        #expect(try await fsck() == 4)
    }

    @Test("a database file that is damaged is told, by SQLite's own check or by what can't be read")
    func database() async throws {
        let served = try await filled()
        try await served.close()
        // As one file, without its log.
        let reader = try served.folder.reader()
        try await reader.copy(to: directory.appending("one.db"))
        try await reader.close()
        for ending in ["-wal", "-shm"] { unlink(served.folder.database + ending) }
        var bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: directory.appending("one.db"))))
        for place in stride(from: 3 * 4096, to: bytes.count, by: 4096) {
            for index in place..<place + 200 { bytes[index] = 0x5A }
        }
        try Data(bytes).write(to: URL(fileURLWithPath: served.folder.database))
        do {
            #expect(try await fsck() & 4 == 4)
        } catch let error as MetadataError {
            #expect(error.code == .corrupt || error.code == .io)
        }
    }

    @Test("the code is the sum of what was found")
    func sum() {
        var summary = CheckSummary()
        #expect(FsckRun.exitCode(summary) == 0)
        summary.add(CheckFinding(.orphanBlock, .note, ""))
        #expect(FsckRun.exitCode(summary) == 0)
        summary.add(CheckFinding(.record, .repaired, ""))
        #expect(FsckRun.exitCode(summary) == 1)
        summary.add(CheckFinding(.file, .damage, ""))
        #expect(FsckRun.exitCode(summary) == 5)
        summary.add(CheckFinding(.region, .unchecked, ""))
        #expect(FsckRun.exitCode(summary) == 13)
        #expect(summary.count(.file) == 1 && summary.total(.damage) == 1 && summary.count(.journal) == 0)
    }
}
