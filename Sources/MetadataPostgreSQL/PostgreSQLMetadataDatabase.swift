public import Metadata

/// Metadata in a PostgreSQL server, or in the one of several that takes writes.
///
/// A pool of connections, each owned by a thread of its own, works off a bounded queue of calls. A read is a transaction of
/// the repeatable-read level, a write one of the serializable level; what others were in the way of is done again, and so
/// is what lost its connection before its commit was sent. A commit that is not confirmed, be it that the connection was
/// lost, or that a deadline passed, ends the call by an error that is not retryable: the write may have taken place.
///
/// When the server goes, the calls that come wait for one that takes writes, up to ``PostgreSQLSettings/patience``. A
/// call that was begun is finished, also when the task that made it is cancelled.
public final class PostgreSQLMetadataDatabase: MetadataDatabase {
    /// The servers and the database, for messages. Nothing secret is in it.
    public let description: String
    private let queue: CallQueue
    private let patience: Duration

    /// Connects, and brings the schema of the database up to date. Of several processes that do so at once, one does, and
    /// the others wait for it.
    ///
    /// What keeps its rows in a database of its own, apart from the metadata, names the history of its own schema.
    /// - Parameters:
    ///   - string: A connection string of libpq; several hosts may be named: `host=a,b port=5432,5432 dbname=cairn`.
    ///   - settings: The bounds of the pool.
    ///   - schema: The history of the schema.
    /// - Throws: ``MetadataError``: `constraint` when the string can't be read; `incompatible` when a newer program wrote
    ///   the database, or the server is not one that can be used; `unavailable` when none that takes writes was found.
    public convenience init(
        _ string: String, _ settings: PostgreSQLSettings = PostgreSQLSettings(),
        schema: SchemaHistory = Schema.history
    ) async throws {
        try await self.init(string, settings, schema: schema, schemaVersion: nil)
    }

    /// The same for tests: the schema stops at a version, as an older program left it.
    package init(
        _ string: String, _ settings: PostgreSQLSettings, schema: SchemaHistory, schemaVersion: Int?
    ) async throws {
        let connection = try ConnectionString(string)
        description = connection.description
        patience = settings.patience
        queue = CallQueue(connections: settings.connections, limit: settings.waitingCalls)
        for number in 0..<settings.connections { PoolThread.start(number: number, queue, connection, settings) }
        do {
            try await call(.migration) { _ = try schema.migrate($0, to: schemaVersion) }
        } catch {
            try await close()
            throw error
        }
    }

    deinit {
        queue.close()
    }

    /// Runs a body that only reads, on one state of the database.
    /// - Throws: what the body throws, or ``MetadataError``; `busy` when too many calls wait already.
    public func read<T: Sendable>(
        _ body: @escaping @Sendable (any MetadataConnection) throws -> T
    ) async throws -> T {
        try await call(.read, body)
    }

    /// Runs a body in a transaction; when it returns, what the body wrote is durable and visible to all.
    /// - Throws: what the body throws, or ``MetadataError``; `busy` when too many calls wait already, or others' writes
    ///   got in the way for too long; `io` when it is not known whether the write took place.
    @discardableResult
    public func write<T: Sendable>(
        _ body: @escaping @Sendable (any MetadataConnection) throws -> T
    ) async throws -> T {
        try await call(.write, body)
    }

    /// Waits for the calls that run or wait, then lets go of the connections. Closing it again does nothing.
    public func close() async throws {
        queue.close()
        await withCheckedContinuation { continuation in
            queue.whenEnded { continuation.resume() }
        }
    }

    /// How many calls wait for a connection; for tests.
    package var waitingCalls: Int { queue.count }

    /// Whether the database takes no more calls; for tests.
    package var isClosed: Bool { queue.isClosed }

    private func call<T: Sendable>(
        _ kind: TransactionKind, _ body: @escaping @Sendable (any MetadataConnection) throws -> T
    ) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            let call = PendingCall(kind, until: .now + patience, body, continuation)
            switch queue.add(call) {
            case .queued: break
            case .full:
                call.fail(MetadataError(.busy, "too many calls wait for the database \(description)"))
            case .closed:
                call.fail(MetadataError(.unavailable, "the database \(description) is closed"))
            }
        }
    }
}
