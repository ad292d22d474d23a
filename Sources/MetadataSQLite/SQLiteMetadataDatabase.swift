internal import Dispatch
internal import GRDB
public import Metadata

/// Metadata in one SQLite file, for a server that is one process.
///
/// The file is in WAL mode: reads run beside the one writer. Writes that arrive while another is made durable share
/// the next transaction; see ``GroupCommit``. All work is done on the threads of the connection pool. A call that was
/// begun is finished, also when the task that made it is cancelled.
public final class SQLiteMetadataDatabase: MetadataDatabase {
    /// The path of the database.
    public let path: String
    private let pool: DatabasePool
    private let queue = WriteQueue(limit: 4096)

    /// Opens the database at a path, makes it when there is none, and brings its schema up to date.
    ///
    /// What keeps its rows in a file of its own, apart from the metadata, names the history of its own schema.
    /// - Throws: ``MetadataError``: `incompatible` when a newer program wrote it, `corrupt` when it is no database,
    ///   `unavailable` when it can't be opened.
    public convenience init(path: String, schema: SchemaHistory = Schema.history) throws {
        try self.init(path: path, schema: schema, busyTimeout: 10)
    }

    /// The same for tests: the schema stops at a version, as an older program left it, and whoever meets the lock of
    /// another process gives up after a number of seconds.
    package init(
        path: String, schema: SchemaHistory = Schema.history, schemaVersion: Int? = nil, busyTimeout: Double
    ) throws {
        self.path = path
        do {
            pool = try DatabasePool(path: path, configuration: Self.configuration(busyTimeout: busyTimeout))
            try pool.writeWithoutTransaction { database in
                // GRDB lowers this for WAL, where it would let acknowledged commits go in a power cut.
                try database.execute(sql: "PRAGMA synchronous = FULL")
            }
            try pool.write { database in
                _ = try schema.migrate(SQLiteMetadataConnection(database, path: path), to: schemaVersion)
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
        if queue.isClosed { throw closedError }
        return try await withCheckedThrowingContinuation { continuation in
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

    /// Runs a body in a transaction; when it returns, what the body wrote is durable and visible to all.
    /// - Throws: what the body throws, or ``MetadataError``; `busy` when too many writes wait already.
    @discardableResult
    public func write<T: Sendable>(
        _ body: @escaping @Sendable (any MetadataConnection) throws -> T
    ) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            let write = PendingWrite(body, continuation)
            switch queue.add(write) {
            case .queued: break
            case .first:
                let group = GroupCommit(queue, path: path)
                pool.asyncWriteWithoutTransaction { database in group.run(database) }
            case .full:
                write.fail(MetadataError(.busy, "too many writes wait for the database \(path)"))
            case .closed:
                write.fail(closedError)
            }
        }
    }

    /// Waits for the calls that run, then lets go of the database. Closing it again does nothing.
    public func close() async throws {
        guard queue.close() else { return }
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            // Closing blocks until all connections are idle, so it gets a thread of its own.
            DispatchQueue.global().async { [pool, path] in
                continuation.resume(
                    with: Result { try pool.close() }.mapError { SQLiteErrors.translated($0, path: path) })
            }
        }
    }

    /// How many writes wait for their turn; for tests.
    package var waitingWrites: Int { queue.count }

    /// Whether the database takes no more calls; for tests.
    package var isClosed: Bool { queue.isClosed }

    private var closedError: MetadataError { MetadataError(.unavailable, "the database \(path) is closed") }

    private static func configuration(busyTimeout: Double) -> Configuration {
        var configuration = Configuration()
        configuration.label = "cairn.metadata"
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(busyTimeout)
        configuration.maximumReaderCount = 4
        configuration.prepareDatabase { database in
            // In KiB, for each connection. Commits look at the hot part of a large tree; what readers lack, the
            // system's own cache has.
            let cache = database.configuration.readonly ? 4096 : 16_384
            try database.execute(sql: "PRAGMA cache_size = -\(cache); PRAGMA temp_store = MEMORY")
        }
        return configuration
    }
}
