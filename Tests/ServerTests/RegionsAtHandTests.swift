import Foundation
import Metadata
import MetadataSQLite
import Model
import Storage
import StorageLocal
import TestSupport
import Testing

@testable import cairn_server

@Suite("The regions that a command finds")
struct RegionsAtHandTests {
    private let directory = TemporaryDirectory()
    private var data: String { directory.appending("data") }
    private var copy: String { directory.appending("copy") }

    private func filled() async throws -> DataFolder {
        let served = try await ServedFolder(data, regions: [copy])
        try await served.put("/f", [1, 2, 3])
        try await served.close()
        return served.folder
    }

    private func find(
        _ folder: DataFolder, named: [String] = [], writing: Bool = false
    ) async throws -> (names: [String], missing: [String]) {
        let database = try folder.reader()
        let hand = try await RegionsAtHand.open(
            try Installation(at: folder.path), named: named, database: database, writing: writing)
        let found = (hand.regions.map(\.name), hand.missing.map(\.path))
        await hand.close()
        try await database.close()
        return found
    }

    @Test("are those that the database remembers, or those that are named", arguments: [false, true])
    func found(writing: Bool) async throws {
        let folder = try await filled()
        for named in [[], [copy]] {
            let found = try await find(folder, named: named, writing: writing)
            #expect(found.names == [folder.packs, copy] && found.missing.isEmpty)
        }
        // One that was moved is found where the option says.
        let elsewhere = directory.appending("elsewhere")
        try FileManager.default.moveItem(atPath: copy, toPath: elsewhere)
        #expect(try await find(folder, named: [elsewhere], writing: writing).missing.isEmpty)
        #expect(try await find(folder, writing: writing).missing == [copy])
    }

    @Test("one that is missing is told and never made", arguments: [false, true])
    func missing(writing: Bool) async throws {
        let folder = try await filled()
        try FileManager.default.removeItem(atPath: copy)
        for named in [[], [copy]] {
            let found = try await find(folder, named: named, writing: writing)
            #expect(found.names == [folder.packs] && found.missing == [copy])
        }
        try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: false)
        #expect(try await find(folder, writing: writing).missing == [copy])
        #expect(try FileManager.default.contentsOfDirectory(atPath: copy).isEmpty)
    }

    @Test("a directory that is named twice is read once, and one of another server's is refused")
    func foreign() async throws {
        let folder = try await filled()
        #expect(try await find(folder, named: [copy, copy + "/."]).names.count == 2)
        let other = try await ServedFolder(directory.appending("other"))
        try await other.close()
        let found = try await find(folder, named: [copy, other.folder.packs])
        #expect(found.names == [folder.packs, copy] && found.missing == [other.folder.packs])
        try "nonsense".write(toFile: copy + "/region", atomically: true, encoding: .utf8)
        #expect(try await find(folder).missing.contains(copy))
    }

    @Test("who writes has them alone, who reads does not mind")
    func locks() async throws {
        let folder = try await filled()
        let store = try await LocalBlockStore.open(directories: [copy])
        #expect(try await find(folder, writing: true).missing == [copy])
        #expect(try await find(folder).missing.isEmpty)
        try await store.close()
        #expect(try await find(folder, writing: true).missing.isEmpty)
    }

    @Test("a backup has its own packs only, wherever the server's regions were")
    func backup() async throws {
        let folder = try await filled()
        let backup = BackupFolder(path: directory.appending("backup"))
        _ = try await WriteBackup(
            folder: folder, destination: backup, regions: [ReadOnlyPackRegion(directory: copy)], clock: ManualClock(),
            withKeyRing: true)()
        let saved = try DataFolder(backup.path, create: false)
        #expect(saved.isBackup && !folder.isBackup)
        let found = try await find(saved)
        #expect(found.names == [saved.packs] && found.missing.isEmpty)
        #expect(try saved.keepStill(for: "fsck") == nil)
        #expect(access(backup.path + "/lock", F_OK) != 0, "nothing is written to it")
    }
}
