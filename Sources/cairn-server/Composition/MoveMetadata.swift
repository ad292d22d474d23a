import Files
import Foundation
import Metadata
import MetadataPostgreSQL
import MetadataSQLite
import Model

/// Moves the metadata between a data directory, whose lock is held, and a database server.
///
/// At every moment just one of the two is taken for the present: the other one bears a mark, or is not there under its name.
struct MoveMetadata {
    let folder: DataFolder
    let server: String
    let clock: any WallClock

    /// What the file says that tells where the metadata is.
    private enum Place: String {
        /// In the server, or it is about to be: there is a whole copy.
        case server = "The metadata is in a database server.\n"
        /// It was copied back; the server's has to be marked still.
        case returning = "The metadata has come back.\n"
    }

    /// From the data directory to the server.
    /// - Returns: what was copied; nothing when an earlier move was complete but for its end.
    /// - Throws: ``Failure``; ``FilesError`` when the server has data already, or the copy is not the same.
    func there() async throws -> [CopyMetadata.Table] {
        let target = try await PostgreSQLMetadataDatabase(server)
        var tables: [CopyMetadata.Table] = []
        if place() == .server, try await CopyMetadata.isUnfinished(target) {
            removeDatabase()
        } else {
            try MetadataPlace(folder: folder, server: nil).present()
            guard access(folder.database, F_OK) == 0 else {
                throw Failure(.configuration, "\(folder.path) is no data directory: it has no cairn.db")
            }
            let source = try SQLiteMetadataDatabase(path: folder.database)
            tables = try await copy(source, to: target, shapes: source)
            try await source.close()
            // What was written last is beside the file of a database, not in it: the copy has all of it in one file.
            try await Self.makeFile(of: folder.database, at: folder.former)
            try note(.server)
            removeDatabase()
        }
        try await CopyMetadata.release(target, at: clock.now())
        try await target.close()
        return tables
    }

    /// From the server to the data directory.
    /// - Returns: what was copied; nothing when an earlier move was complete but for its end.
    /// - Throws: ``Failure``; ``FilesError`` when the copy is not the same.
    func back() async throws -> [CopyMetadata.Table] {
        guard let place = place() else {
            throw Failure(.configuration, "the metadata of \(folder.path) was never moved, or is back already")
        }
        let source = try await PostgreSQLMetadataDatabase(server)
        var tables: [CopyMetadata.Table] = []
        if place == .server {
            try await MetadataPlace.ensureComplete(source)
            let draft = folder.database + ".new"
            Self.remove(draft)
            let target = try SQLiteMetadataDatabase(path: draft)
            tables = try await copy(source, to: target, shapes: target)
            try await CopyMetadata.release(target, at: clock.now())
            try await target.close()
            removeDatabase()
            try await Self.makeFile(of: draft, at: folder.database)
            Self.remove(draft)
            try note(.returning)
        }
        try await CopyMetadata.retire(source, at: clock.now())
        try await source.close()
        unlink(folder.elsewhere)
        try SafeFiles.syncFolder(around: folder.elsewhere)
        return tables
    }

    /// Removes what the data directory has from before. Nothing may be left beside a database that takes its place.
    private func removeDatabase() { Self.remove(folder.database) }

    private static func remove(_ database: String) {
        for ending in ["-wal", "-shm", ""] { unlink(database + ending) }
    }

    /// Makes one file of a database, which has parts beside it, in one step and durably.
    private static func makeFile(of database: String, at path: String) async throws {
        let draft = path + ".draft"
        unlink(draft)
        let reader = try SQLiteMetadataReader(path: database)
        try await reader.copy(to: draft)
        try await reader.close()
        try SafeFiles.sync(draft)
        try SafeFiles.rename(draft, path)
    }

    private func copy(
        _ source: any MetadataDatabase, to target: any MetadataDatabase, shapes: any MetadataDatabase
    ) async throws -> [CopyMetadata.Table] {
        let shapes = try await shapes.read { try TableQueries($0).shapes() }
        return try await CopyMetadata(from: source, to: target, shapes: shapes, clock: clock)()
    }

    private func place() -> Place? {
        guard let text = try? String(contentsOfFile: folder.elsewhere, encoding: .utf8) else { return nil }
        return Place(rawValue: text) ?? .server
    }

    /// Says in one step where the metadata is.
    private func note(_ place: Place) throws {
        let draft = folder.elsewhere + ".new"
        try SafeFiles.write(Array(place.rawValue.utf8), to: draft)
        try SafeFiles.rename(draft, folder.elsewhere)
    }
}
