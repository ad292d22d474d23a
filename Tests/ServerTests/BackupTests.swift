import Files
import Foundation
import Metadata
import MetadataSQLite
import Model
import Storage
import StorageLocal
import Synchronization
import TestSupport
import Testing

@testable import cairn_server

@Suite("Backups")
struct BackupTests {
    private struct Killed: Error {}

    private let directory = TemporaryDirectory()
    private let clock = ManualClock()
    private var data: String { directory.appending("data") }
    private var backup: BackupFolder { BackupFolder(path: directory.appending("backup")) }
    private var target: String { directory.appending("restored") }

    private func bytes(_ count: Int, _ seed: UInt64) -> [UInt8] {
        var generator = SeededGenerator(seed: seed)
        return generator.bytes(count)
    }

    @discardableResult
    private func write(
        _ folder: DataFolder, keyRing: Bool = true,
        beforePack: @escaping @Sendable (PackID) async throws -> Void = { _ in }
    ) async throws -> WriteBackup.Outcome {
        var backup = WriteBackup(
            folder: folder, destination: backup, regions: [ReadOnlyPackRegion(directory: folder.packs)], clock: clock,
            withKeyRing: keyRing)
        backup.beforePack = beforePack
        return try await backup()
    }

    @discardableResult
    private func restore(
        keyRing: String? = nil, beforePack: @escaping @Sendable (PackID) throws -> Void = { _ in }
    ) async throws -> BackupManifest {
        var restore = RestoreBackup(backup: backup, target: target, keyRing: keyRing, clock: clock)
        restore.beforePack = beforePack
        return try await restore()
    }

    private func fsck(_ path: String) async throws -> Int32 {
        try await FsckRun(
            installation: try Installation(at: path), regions: [], isFull: true, repairs: false,
            report: FsckReport(isJSON: true, isVerbose: false))()
    }

    /// The files of a restored server's head, by their digests.
    private func contents(_ path: String) async throws -> [String: Content] {
        let served = try await ServedFolder(path, seed: 50)
        let home = served.home
        let nodes = try await served.read {
            try NodeQueries($0).children(of: .root, in: home, limit: 1000)
        }
        try await served.close()
        return Dictionary(
            uniqueKeysWithValues: nodes.compactMap { node in
                node.state.payload.content.map { (node.state.name.description, $0) }
            })
    }

    @Test("a backup of a server that runs is restored to one that is whole and goes on")
    func whole() async throws {
        let served = try await ServedFolder(data)
        for number in 0..<5 { try await served.put("/\(number)", bytes(3000 * number + 9, UInt64(number))) }
        let outcome = try await write(served.folder)
        #expect(outcome.copiedPacks == 1 && outcome.manifest.packs.count == 1 && outcome.manifest.lost.isEmpty)
        try await served.put("/late", bytes(900, 77))
        #expect(try await fsck(backup.path) == 0, "a backup is checked as it is")
        try await restore()
        #expect(try await fsck(target) == 0)
        #expect(try await contents(target).keys.sorted() == ["0", "1", "2", "3", "4"])
        let again = try await ServedFolder(target, seed: 51)
        try await again.put("/more", bytes(5000, 78))
        try await again.close()
        #expect(try await fsck(target) == 0)
        try await served.close()
        #expect(access(target + "/restoring", F_OK) != 0 && access(target + ".restoring", F_OK) != 0)
    }

    @Test("what the backup has already is not copied again, and packs that are named no more go")
    func incremental() async throws {
        var served = try await ServedFolder(data)
        try await served.put("/one", bytes(9000, 1))
        try await served.close()
        served = try await ServedFolder(data, seed: 2)
        try await served.put("/two", bytes(9000, 2))
        #expect(try await write(served.folder).copiedPacks == 2)
        let begun = backup.pack(PackID(high: 1, low: 1)) + ".new"
        try FileManager.default.createDirectory(
            atPath: backup.folder(of: PackID(high: 1, low: 1)), withIntermediateDirectories: true)
        try Data([1]).write(to: URL(fileURLWithPath: begun))
        #expect(try await write(served.folder).copiedPacks == 0)
        #expect(!FileManager.default.fileExists(atPath: begun), "what an earlier one has begun and never completed")
        try await served.put("/three", bytes(9000, 3))
        #expect(try await write(served.folder).copiedPacks == 1, "the pack that grew")
        try await served.spoil("DELETE FROM block WHERE pack = (SELECT MIN(pack) FROM block)")
        let last = try await write(served.folder)
        #expect(last.prunedPacks == 1 && last.manifest.packs.count == 1)
        #expect(try backup.packs().count == 1)
        try await served.close()
    }

    @Test("a pack that grows is copied up to what is named, and nothing of what is under way")
    func open() async throws {
        let served = try await ServedFolder(data)
        try await served.put("/one", bytes(9000, 1))
        let source = try #require(try ServedFolder.packs(served.folder.packs).first)
        let file = try #require(FileHandle(forWritingAtPath: source))
        let size = try file.seekToEnd()
        try file.write(contentsOf: Data(repeating: 7, count: 500))
        try file.close()
        let manifest = try await write(served.folder).manifest
        #expect(manifest.packs.map(\.file.size) == [size])
        #expect(try await fsck(backup.path) == 0)
        try await served.close()
    }

    @Test("a pack that goes while it is being copied leads to a newer copy of the database")
    func compacted() async throws {
        var served = try await ServedFolder(data)
        try await served.put("/one", bytes(9000, 1))
        try await served.close()
        served = try await ServedFolder(data, seed: 2)
        try await served.put("/two", bytes(9000, 2))
        let packs = try ServedFolder.packs(served.folder.packs)
        #expect(packs.count == 2)
        let folder = served.folder
        let gone = Mutex(false)
        // The first pack's rows move, and its file goes, when the other pack is copied.
        let outcome = try await write(served.folder) { pack in
            guard
                gone.withLock({ gone in
                    defer { gone = true }; return !gone
                })
            else { return }
            let database = try SQLiteMetadataDatabase(path: folder.database)
            try await database.write { connection in
                try connection.execute("DELETE FROM block WHERE pack = $1", [.blob(pack.bytes)])
            }
            try await database.close()
            for path in packs where path.contains(pack.hex) { unlink(path) }
        }
        #expect(outcome.manifest.packs.count == 1 && outcome.manifest.lost.isEmpty)
        try await served.close()
    }

    @Test("a pack that the server itself has lost is named, and everything else is saved")
    func lostPack() async throws {
        var served = try await ServedFolder(data)
        try await served.put("/one", bytes(9000, 1))
        try await served.close()
        served = try await ServedFolder(data, seed: 2)
        try await served.put("/two", bytes(9000, 2))
        try await served.close()
        unlink(try ServedFolder.packs(served.folder.packs)[0])
        let manifest = try await write(served.folder).manifest
        #expect(manifest.packs.count == 1 && manifest.lost.count == 1)
        #expect(try await fsck(backup.path) == 4)
        #expect(try await restore().lost == manifest.lost)
    }

    @Test("without the keyring in it, the one that is kept elsewhere is needed, and no other")
    func keyRing() async throws {
        let served = try await ServedFolder(data)
        try await served.put("/one", bytes(900, 1))
        try await served.close()
        #expect(try await write(served.folder, keyRing: false).manifest.keyring == nil)
        #expect(!FileManager.default.fileExists(atPath: backup.keyRing))
        #expect(try await fsck(backup.path) == 8)
        let without = try await #require(throws: Failure.self) { try await restore() }
        #expect(without.code == .configuration && without.message.contains("--keyring"))
        let other = try await ServedFolder(directory.appending("other"))
        try await other.close()
        let wrong = try await #require(throws: Failure.self) { try await restore(keyRing: other.folder.keyRing) }
        #expect(wrong.code == .configuration)
        #expect(!FileManager.default.fileExists(atPath: target))
        try await restore(keyRing: served.folder.keyRing)
        #expect(try await fsck(target) == 0)
        // A later backup without it takes it out again.
        try await write(served.folder, keyRing: true)
        #expect(FileManager.default.fileExists(atPath: backup.keyRing))
        try await write(served.folder, keyRing: false)
        #expect(!FileManager.default.fileExists(atPath: backup.keyRing))
    }

    @Test("a restore that is cut off leaves nothing at its place, and may be repeated")
    func cutRestore() async throws {
        let served = try await ServedFolder(data)
        try await served.put("/one", bytes(9000, 1))
        try await served.close()
        try await write(served.folder)
        await #expect(throws: Killed.self) { try await restore { _ in throw Killed() } }
        #expect(!FileManager.default.fileExists(atPath: target))
        try await restore()
        #expect(try await fsck(target) == 0)
        let full = try await #require(throws: Failure.self) { try await restore() }
        #expect(full.code == .configuration && full.message.contains("not empty"))
        #expect(try await fsck(target) == 0)
    }

    @Test("a directory of another's in the way is left alone")
    func inTheWay() async throws {
        let served = try await ServedFolder(data)
        try await served.close()
        try await write(served.folder)
        try FileManager.default.createDirectory(atPath: target + ".restoring", withIntermediateDirectories: false)
        try Data().write(to: URL(fileURLWithPath: target + ".restoring/mine"))
        await #expect(throws: Failure.self) { try await restore() }
        #expect(FileManager.default.fileExists(atPath: target + ".restoring/mine"))
        // An empty directory is taken.
        try FileManager.default.removeItem(atPath: target + ".restoring")
        try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: false)
        try await restore()
        #expect(try await fsck(target) == 0)
    }

    @Test("a file of the backup that is damaged is refused by name", arguments: ["cairn.db", "pack", "keyring"])
    func damaged(_ which: String) async throws {
        let served = try await ServedFolder(data)
        try await served.put("/one", bytes(9000, 1))
        try await served.close()
        let manifest = try await write(served.folder).manifest
        let pack = try #require(PackID(hex: manifest.packs[0].id))
        let path = which == "pack" ? backup.pack(pack) : backup.path + "/" + which
        try ServedFolder.flip(path, at: 300 % (which == "keyring" ? 90 : 4096))
        let failure = try await #require(throws: Failure.self) { try await restore() }
        #expect(failure.code == .inputOutput && failure.message.contains(path))
        #expect(!FileManager.default.fileExists(atPath: target))
    }

    @Test("a backup that is cut off is none at first, and later leaves the one before")
    func cutBackup() async throws {
        var served = try await ServedFolder(data)
        try await served.put("/one", bytes(9000, 1))
        await #expect(throws: Killed.self) { try await write(served.folder) { _ in throw Killed() } }
        let none = try await #require(throws: Failure.self) { try await restore() }
        #expect(none.message.contains("not a whole backup"))
        try await write(served.folder)
        try await served.put("/one", bytes(9000, 2))
        try await served.close()
        served = try await ServedFolder(data, seed: 3)
        try await served.put("/two", bytes(9000, 3))
        try await served.close()
        // The pack that grew is in its place already, longer than the manifest says.
        let count = Mutex(0)
        await #expect(throws: Killed.self) {
            try await write(served.folder) { _ in
                if count.withLock({ count in
                    count += 1; return count
                }) == 2 {
                    throw Killed()
                }
            }
        }
        try await restore()
        #expect(try await fsck(target) == 0)
        #expect(try await contents(target).count == 1)
    }

    @Test("between the database and the manifest the new backup is whole already")
    func betweenRenames() async throws {
        let served = try await ServedFolder(data)
        try await served.put("/one", bytes(9000, 1))
        try await write(served.folder)
        let old = try Data(contentsOf: URL(fileURLWithPath: backup.manifest))
        try await served.put("/two", bytes(900, 2))
        try await write(served.folder)
        try await served.close()
        try FileManager.default.moveItem(atPath: backup.manifest, toPath: backup.manifestDraft)
        try old.write(to: URL(fileURLWithPath: backup.manifest))
        try await restore()
        #expect(try await contents(target).count == 2)
    }

    @Test("what is neither empty nor a backup is left alone, and two backups at once are refused")
    func destinations() async throws {
        let served = try await ServedFolder(data)
        try await served.close()
        try FileManager.default.createDirectory(atPath: backup.path, withIntermediateDirectories: false)
        try Data().write(to: URL(fileURLWithPath: backup.path + "/mine"))
        let mine = try await #require(throws: Failure.self) { try await write(served.folder) }
        #expect(mine.code == .configuration)
        try FileManager.default.removeItem(atPath: backup.path + "/mine")
        let lock = try backup.begin()
        let second = try await #require(throws: Failure.self) { try await write(served.folder) }
        #expect(second.code == .unavailable)
        close(lock)
        try await write(served.folder)
        let nothing = try #require(throws: Failure.self) { try BackupFolder(path: data).load() }
        #expect(nothing.message.contains("no backup"))
    }

    @Test("a manifest of another form is refused")
    func form() async throws {
        let served = try await ServedFolder(data)
        try await served.close()
        try await write(served.folder)
        let text = try String(contentsOfFile: backup.manifest, encoding: .utf8)
        try text.replacing("cairn-backup 1", with: "cairn-backup 2")
            .write(toFile: backup.manifest, atomically: true, encoding: .utf8)
        let newer = try #require(throws: Failure.self) { try backup.load() }
        #expect(newer.code == .configuration)
        try "{".write(toFile: backup.manifest, atomically: true, encoding: .utf8)
        let broken = try #require(throws: Failure.self) { try backup.load() }
        #expect(broken.code == .inputOutput)
    }
}
