import Foundation
import MetadataSQLite

/// What the commands share that look at a data directory, or at a backup, which is laid out in the same way.
extension DataFolder {
    /// Whether it is a backup: its packs then are all there is, whatever regions its database remembers.
    var isBackup: Bool { access(BackupFolder(path: path).mark, F_OK) == 0 }

    /// Opens a directory that holds a database already.
    /// - Throws: ``Failure`` `configuration` when there is none.
    func reader() throws -> SQLiteMetadataReader {
        guard access(database, F_OK) == 0 else {
            throw Failure(.configuration, "\(path) is no data directory: it has no cairn.db")
        }
        return try SQLiteMetadataReader(path: database)
    }

    /// Keeps servers out, for a command that needs the directory to stand still. A backup stands still by itself.
    /// - Returns: the descriptor that bears the lock; nil for a backup.
    /// - Throws: ``Failure`` `unavailable` with what to do when a server runs.
    func keepStill(for command: String) throws -> Int32? {
        if isBackup { return nil }
        do { return try takeLock() } catch let failure as Failure where failure.code == .unavailable {
            throw Failure(
                .unavailable,
                "a server uses \(path): stop it to run '\(command)' on its data. While it runs, it reads its packs by "
                    + "itself, slowly ('run --scrub-rate'), and a backup can be checked at any time: 'backup', then "
                    + "'\(command) --data BACKUP'")
        }
    }
}
