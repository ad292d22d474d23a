import Blocks
import Foundation
import Metadata
import MetadataSQLite
import Model
import StorageLocal

/// Makes a data directory of a backup.
///
/// It grows beside its place and takes it when it is complete, so that what was cut off is never taken for a server's data.
struct RestoreBackup {
    let backup: BackupFolder
    let target: String
    /// The keyring, where it is not in the backup.
    let keyRing: String?
    let clock: any WallClock
    /// Called before each pack is copied, for tests.
    var beforePack: @Sendable (PackID) throws -> Void = { _ in }

    private var draft: String { target + ".restoring" }
    private var mark: String { draft + "/restoring" }
    private static let title = "unfinished\n"

    /// Does it.
    /// - Returns: the manifest of the backup.
    /// - Throws: ``Failure``: `configuration` for a directory that is not empty, a backup that is not whole, or a keyring
    ///   that does not open it, `inputOutput` for a file whose hash is not what it was.
    func callAsFunction() async throws -> BackupManifest {
        let manifest = try backup.load()
        let ring = try keyRingToUse(manifest)
        try begin()
        let folder = try DataFolder(draft, create: false)
        try copy(backup.database, to: folder.database, manifest.database)
        for (pack, file) in try manifest.files().sorted(by: { $0.key < $1.key }) {
            try beforePack(pack)
            let place = BackupFolder(path: draft)
            try SafeFiles.makeFolder(place.folder(of: pack))
            try copy(backup.pack(pack), to: place.pack(pack), file)
        }
        if let ring { try SafeFiles.write(Array(ring.text.utf8), to: folder.keyRing) }
        try await settle(folder, ring)
        unlink(mark)
        try SafeFiles.sync(draft)
        try SafeFiles.rename(draft, target)
        return manifest
    }

    /// The keyring that was named, or else the one in the backup.
    private func keyRingToUse(_ manifest: BackupManifest) throws -> KeyRing? {
        if let keyRing { return try KeyRingFile(path: keyRing).keyRing() }
        if let expected = manifest.keyring {
            guard try SafeFiles.hash(of: backup.keyRing) == expected else {
                throw Failure(.inputOutput, "\(backup.keyRing) is not what was backed up: it is damaged")
            }
            return try KeyRingFile(path: backup.keyRing).keyRing()
        }
        return nil
    }

    /// Makes the directory that becomes the data directory, in the place of one that a restore has left unfinished.
    private func begin() throws {
        var status = stat()
        if stat(target, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFDIR,
                try FileManager.default.contentsOfDirectory(atPath: target).isEmpty
            else { throw Failure(.configuration, "\(target) is not empty: name a new directory") }
        }
        if access(draft, F_OK) == 0 {
            // One that was made right before a kill has no mark yet.
            guard
                SafeFiles.isFolder(draft),
                try access(mark, F_OK) == 0 || SafeFiles.isBegun(draft, with: Self.title, at: mark)
            else {
                throw Failure(.configuration, "\(draft) is in the way: move it, or name another directory")
            }
            try FileManager.default.removeItem(atPath: draft)
        }
        try SafeFiles.makeFolder(draft)
        try SafeFiles.write(Array(Self.title.utf8), to: mark)
        try SafeFiles.makeFolder(draft + "/packs")
        try SafeFiles.makeFolder(draft + "/packs/packs")
    }

    private func copy(_ source: String, to path: String, _ expected: HashedFile) throws {
        guard try SafeFiles.copy(source, to: path, size: expected.size) == expected else {
            throw Failure(.inputOutput, "\(source) is not what was backed up: it is damaged")
        }
    }

    /// Looks whether the keyring opens the accounts, and makes the packs the only region of the server.
    private func settle(_ folder: DataFolder, _ ring: KeyRing?) async throws {
        let database = try SQLiteMetadataDatabase(path: folder.database)
        let accounts = try await database.read { try AccountQueries($0).all() }
        guard let ring else {
            try await database.close()
            if accounts.isEmpty { return }
            throw Failure(
                .configuration, "the keyring is not in the backup: name the copy of it that you keep, --keyring FILE")
        }
        do {
            for account in accounts {
                let wrapped = WrappedKey(masterKey: account.masterKey, bytes: account.wrappedKey)
                _ = try ring.unwrap(wrapped, for: account.id)
            }
        } catch {
            try await database.close()
            throw Failure(.configuration, "the keyring does not open this backup: \(error)")
        }
        let id = RegionID.random()
        try LocalPackRegion.mark(folder.packs, as: id)
        let record = RegionRecord(id: id, path: RegionSet.absolute(target + "/packs"), added: clock.now())
        try await database.write { connection in
            let regions = RegionQueries(connection)
            for former in try regions.all() { try regions.forget(former.id) }
            try regions.remember(record)
        }
        try await database.close()
    }
}
