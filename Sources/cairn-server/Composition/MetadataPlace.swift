import Files
import Foundation
import Metadata
import MetadataPostgreSQL
import MetadataSQLite

/// Where the metadata of a server is: in its data directory, or in a database server.
struct MetadataPlace {
    /// The data directory; nil when there is none, which needs a server.
    let folder: DataFolder?
    /// A connection string; nil for the database in the data directory.
    let server: String?
    /// The most connections to the server.
    var connections = PostgreSQLSettings().connections

    /// Opens it for reading and writing.
    /// - Throws: ``Failure`` `configuration` for a database that is not the present one: one that was moved elsewhere since,
    ///   or one to which a copy was begun and not completed; what the database throws.
    func open() async throws -> any MetadataDatabase {
        guard let server else {
            let folder = try present()
            return try SQLiteMetadataDatabase(path: folder.database)
        }
        let database = try await PostgreSQLMetadataDatabase(server, PostgreSQLSettings(connections: connections))
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
        return try present().reader()
    }

    /// What is in the data directory is the present, unless it says that the present is elsewhere.
    @discardableResult
    func present() throws -> DataFolder {
        guard let folder else {
            throw Failure(.configuration, "there is neither a data directory nor a database server")
        }
        guard access(folder.elsewhere, F_OK) != 0 else {
            throw Failure(
                .configuration,
                "the metadata of \(folder.path) was moved to a database server: name it with --database. "
                    + "'cairn-server migrate --back' takes it back")
        }
        return folder
    }

    /// - Throws: ``Failure`` `configuration` for a database to which a copy was begun and not completed.
    static func ensureComplete(_ database: any MetadataDatabase) async throws {
        guard try await !CopyMetadata.isUnfinished(database) else {
            throw Failure(
                .configuration,
                "the metadata in this database is an unfinished copy: let 'cairn-server migrate' run to its end")
        }
    }
}
