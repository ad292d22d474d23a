import Foundation

/// Copies a SQLite database with its log, as it is on the disk now.
func copyDatabase(_ path: String, to other: String) throws {
    for suffix in ["", "-wal"] where FileManager.default.fileExists(atPath: path + suffix) {
        try FileManager.default.copyItem(atPath: path + suffix, toPath: other + suffix)
    }
}
