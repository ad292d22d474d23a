import Foundation
import Metadata
import MetadataSQLite
import Model
import Storage
import StorageLocal
import TestSupport
import Testing

@testable import cairn_server

@Suite("What a restore takes, and what it refuses")
struct RestoreRefusalTests {
    private struct Killed: Error {}

    private func junk(_ path: String) throws {
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data("junk".utf8).write(to: URL(fileURLWithPath: path))
    }

    @Test("a pack that the backup has lost is named, and nothing comes to the server's place")
    func missingPack() async throws {
        let saved = try await SavedServer()
        let path = saved.backup.pack(try saved.packs()[1].id)
        unlink(path)
        let failure = try await #require(throws: Failure.self) { try await saved.restore() }
        #expect(failure.code == .inputOutput && failure.message.contains(path))
        #expect(!saved.exists(saved.target))
    }

    @Test(
        "a manifest that does not fit its packs is refused",
        arguments: ["hash", "longer", "shorter", "name", "negative", "no size"])
    func manifest(_ fault: String) async throws {
        let saved = try await SavedServer()
        let file = try saved.packs()[0].file
        func named(_ size: Any, _ hash: String) -> [String: Any] { ["size": size, "sha256": hash] }
        try saved.changePack { pack in
            switch fault {
            case "hash": pack["file"] = named(file.size, String(repeating: "0", count: 64))
            case "longer": pack["file"] = named(file.size + 1, file.sha256)
            case "shorter": pack["file"] = named(file.size - 1, file.sha256)
            case "name": pack["id"] = "../../keyring"
            case "negative": pack["file"] = named(-1, file.sha256)
            default: pack["file"] = ["sha256": file.sha256]
            }
        }
        let failure = try await #require(throws: Failure.self) { try await saved.restore() }
        #expect(failure.code == .inputOutput)
        #expect(!saved.exists(saved.target))
    }

    @Test("files that the manifest does not name are not restored")
    func foreignFiles() async throws {
        let saved = try await SavedServer()
        let stray = PackID(high: 0xAB, low: 1)
        for path in [saved.backup.path + "/mine", saved.backup.pack(stray)] { try junk(path) }
        try await saved.restore()
        #expect(!saved.exists(saved.target + "/mine") && !saved.exists(saved.target + "/cairn-backup"))
        let restored = BackupFolder(path: saved.target)
        #expect(try restored.packs().sorted() == saved.packs().map(\.id))
    }

    @Test("another keyring in the place of the one that was saved is refused before anything is made")
    func foreignKeyRing() async throws {
        let saved = try await SavedServer()
        let other = try await ServedFolder(saved.directory.appending("other"), seed: 9)
        try await other.close()
        try FileManager.default.removeItem(atPath: saved.backup.keyRing)
        try FileManager.default.copyItem(atPath: other.folder.keyRing, toPath: saved.backup.keyRing)
        let failure = try await #require(throws: Failure.self) { try await saved.restore() }
        #expect(failure.code == .inputOutput && failure.message.contains(saved.backup.keyRing))
        #expect(!saved.exists(saved.target + ".restoring"))
    }

    @Test("nothing of a restore that was cut off is in the next one")
    func cutOff() async throws {
        let saved = try await SavedServer()
        let last = try saved.packs()[1].id
        await #expect(throws: Killed.self) {
            try await saved.restore { if $0 == last { throw Killed() } }
        }
        let draft = BackupFolder(path: saved.target + ".restoring")
        #expect(try draft.packs() == [saved.packs()[0].id])
        try junk(draft.path + "/queue-1/junk")
        try junk(draft.pack(PackID(high: 5, low: 5)))
        try await saved.restore()
        #expect(!saved.exists(draft.path) && !saved.exists(saved.target + "/queue-1"))
        #expect(try BackupFolder(path: saved.target).packs().count == 2)
        #expect(try await saved.fsck(saved.target) == 0)
    }
}
