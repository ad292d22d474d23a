internal import Dispatch
internal import GRDB
public import Metadata

/// The database of a server on the same machine, for a process that only reads it.
///
/// It makes nothing and changes nothing: a database has to be there, of the version that this program knows. Reads run
/// beside the server's own reads and writes, on threads of the connection pool.
public final class SQLiteMetadataReader: MetadataDatabase {
    /// The path of the database.
    public let path: String
    private let pool: DatabasePool

    /// Opens the database at a path.
    /// - Throws: ``MetadataError``: `incompatible` when a program of another version wrote it, `corrupt` when it is no
    ///   database, `unavailable` when there is none, or it can't be opened.
    public init(path: String) throws {
        self.path = path
        do {
            pool = try DatabasePool(path: path, configuration: Self.configuration)
            let version = try pool.read { database in
                try Schema.appliedVersion(SQLiteMetadataConnection(database, path: path))
            }
            guard version == Schema.version else {
                throw MetadataError(
                    .incompatible,
                    "the database \(path) has schema version \(version), this program reads version \(Schema.version): "
                        + "use the version of the program that the server has")
            }
        } catch {
            throw SQLiteErrors.translated(error, path: path)
        }
    }

    /// Runs a body that only reads, on one state of the database.
    /// - Throws: what the body throws, or ``MetadataError``.
    public func read<T: Sendable>(
        _ body: @escaping @Sendable (any MetadataConnection) throws -> T
    ) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            pool.asyncRead { [path] connection in
                do {
                    continuation.resume(
                        returning: try body(SQLiteMetadataConnection(try connection.get(), path: path)))
                } catch {
                    continuation.resume(throwing: SQLiteErrors.translated(error, path: path))
                }
            }
        }
    }

    /// Runs statements outside of a transaction.
    func unsafelyRead(_ body: @escaping @Sendable (Database) throws -> Void) async throws {
        try await pool.unsafeRead(body)
    }

    /// Fails: this process only reads.
    /// - Throws: ``MetadataError`` `unavailable`.
    @discardableResult
    public func write<T: Sendable>(
        _ body: @escaping @Sendable (any MetadataConnection) throws -> T
    ) async throws -> T {
        throw MetadataError(.unavailable, "the database \(path) was opened for reading only")
    }

    /// Waits for the calls that run, then lets go of the database.
    public func close() async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            // Closing blocks until all connections are idle, so it gets a thread of its own.
            DispatchQueue.global().async { [pool, path] in
                continuation.resume(
                    with: Result { try pool.close() }.mapError { SQLiteErrors.translated($0, path: path) })
            }
        }
    }

    private static var configuration: Configuration {
        var configuration = Configuration()
        configuration.label = "cairn.metadata.reader"
        configuration.readonly = true
        configuration.busyMode = .timeout(10)
        configuration.maximumReaderCount = 2
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA cache_size = -4096; PRAGMA temp_store = MEMORY")
        }
        return configuration
    }
}
