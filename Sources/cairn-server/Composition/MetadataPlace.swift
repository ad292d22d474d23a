import Files
import Foundation
import Metadata
import MetadataPostgreSQL
import MetadataSQLite

/// Where the metadata of a server is: in its data directory, or in a database server.
struct MetadataPlace {
    let folder: DataFolder
    /// A connection string; nil for the database in the data directory.
    let server: String?

    /// Opens it for reading and writing.
    /// - Throws: ``Failure`` `configuration` for a database that is not the present one: one that was moved elsewhere since,
    ///   or one to which a copy was begun and not completed; what the database throws.
    func open() async throws -> any MetadataDatabase {
        guard let server else {
            try ensurePresent()
            return try SQLiteMetadataDatabase(path: folder.database)
        }
        let database = try await PostgreSQLMetadataDatabase(server)
        do {
            try await Self.ensureComplete(database)
        } catch {
            try await database.close()
            throw error
        }
        return database
    }

    /// Opens it for a process that only reads.
    /// - Throws: as ``open()``; `configuration` when there is nothing yet.
    func reader() async throws -> any MetadataDatabase {
        if server != nil { return try await open() }
        try ensurePresent()
        return try folder.reader()
    }

    /// What is in the data directory is the present, unless it says that the present is elsewhere.
    func ensurePresent() throws {
        guard access(folder.elsewhere, F_OK) != 0 else {
            throw Failure(
                .configuration,
                "the metadata of \(folder.path) was moved to a database server: name it with --database. "
                    + "'cairn-server migrate --back' takes it back")
        }
    }

    static func ensureComplete(_ database: any MetadataDatabase) async throws {
        guard try await !CopyMetadata.isUnfinished(database) else {
            throw Failure(
                .configuration,
                "the metadata in this database is an unfinished copy: let 'cairn-server migrate' run to its end")
        }
    }
}
