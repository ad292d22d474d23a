import Foundation
import Model
import StorageLocal
import TestSupport
import Testing

@testable import cairn_server

/// A server with two packs that is stopped, and a backup of it.
struct SavedServer {
    let directory = TemporaryDirectory()
    let clock = ManualClock()

    var data: String { directory.appending("data") }
    var backup: BackupFolder { BackupFolder(path: directory.appending("backup")) }
    var target: String { directory.appending("restored") }

    init() async throws {
        for number in 1...2 {
            let served = try await ServedFolder(data, seed: UInt64(number))
            var generator = SeededGenerator(seed: UInt64(100 + number))
            try await served.put("/\(number)", generator.bytes(9000))
            try await served.close()
        }
        let folder = try DataFolder(data, create: false)
        _ = try await WriteBackup(
            folder: folder, destination: backup, regions: [ReadOnlyPackRegion(directory: folder.packs)], clock: clock,
            withKeyRing: true)()
    }

    func restore(beforePack: @escaping @Sendable (PackID) throws -> Void = { _ in }) async throws {
        var restore = RestoreBackup(backup: backup, target: target, keyRing: nil, clock: clock)
        restore.beforePack = beforePack
        _ = try await restore()
    }

    struct Pack {
        let id: PackID
        let file: HashedFile
    }

    /// The packs that the manifest names, in its order.
    func packs() throws -> [Pack] {
        try backup.load().packs.map { Pack(id: try #require(PackID(hex: $0.id)), file: $0.file) }
    }

    func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    func fsck(_ path: String) async throws -> Int32 {
        try await FsckRun(
            installation: try Installation(at: path), regions: [], isFull: true, repairs: false,
            report: FsckReport(isJSON: true, isVerbose: true))()
    }

    /// Writes the manifest anew with its first pack changed.
    func changePack(_ change: (inout [String: Any]) -> Void) throws {
        let place = URL(fileURLWithPath: backup.manifest)
        let document = try JSONSerialization.jsonObject(with: Data(contentsOf: place))
        var manifest = try #require(document as? [String: Any])
        var packs = try #require(manifest["packs"] as? [[String: Any]])
        change(&packs[0])
        manifest["packs"] = packs
        try JSONSerialization.data(withJSONObject: manifest).write(to: place)
    }
}
