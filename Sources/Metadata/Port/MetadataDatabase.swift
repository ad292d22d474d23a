/// A database of accounts, trees and history: the one place where the order of things is decided.
///
/// **Reads** see one state of the database, the newest that was committed before the read began: never a mixture, and
/// never one from before a write whose answer anybody has had.
///
/// **Writes** are serializable: they happen as if one after the other. A write that returns is durable: a crash or a
/// power cut a moment later takes nothing of it away. A write that throws has changed nothing. When the call ends by
/// an error with ``MetadataError/isRetryable`` the caller may repeat it; after any other error of the connection it is
/// unknown whether the write took place, and only an idempotent body may be sent again.
///
/// **Bodies** may run more than once, on any thread, and others' writes may be put into the same transaction: a body
/// must have no effect but through its connection, must not keep the connection, and must not wait for anything else.
/// What a body throws is thrown by the call, unchanged.
public protocol MetadataDatabase: Sendable {
    /// Runs a body that only reads, on one state of the database.
    /// - Throws: what the body throws, or ``MetadataError``.
    func read<T: Sendable>(_ body: @escaping @Sendable (any MetadataConnection) throws -> T) async throws -> T

    /// Runs a body in a transaction; when it returns, what the body wrote is durable and visible to all.
    /// - Throws: what the body throws, or ``MetadataError``.
    @discardableResult
    func write<T: Sendable>(_ body: @escaping @Sendable (any MetadataConnection) throws -> T) async throws -> T

    /// Waits for the calls that run, then lets go of the database. Calls that come later fail as `unavailable`.
    func close() async throws
}
