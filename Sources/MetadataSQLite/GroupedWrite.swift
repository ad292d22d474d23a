import Metadata

/// A write that waits for its turn, or has been tried and waits for the transaction around it to be durable.
protocol GroupedWrite: AnyObject, Sendable {
    /// Runs the body.
    /// - Throws: what the body throws.
    func attempt(_ connection: any MetadataConnection) throws
    /// Answers the caller with what the last attempt gave: the transaction is durable.
    func succeed()
    /// Answers the caller with an error: nothing of the write is in the database.
    func fail(_ error: any Error)
}

/// A body with the caller who waits for what it gives.
///
/// `@unchecked Sendable`: `result` is only touched by the one thread that works off the queue of writes.
final class PendingWrite<T: Sendable>: GroupedWrite, @unchecked Sendable {
    private let body: @Sendable (any MetadataConnection) throws -> T
    private let continuation: CheckedContinuation<T, any Error>
    private var result: T?

    init(
        _ body: @escaping @Sendable (any MetadataConnection) throws -> T,
        _ continuation: CheckedContinuation<T, any Error>
    ) {
        self.body = body
        self.continuation = continuation
    }

    func attempt(_ connection: any MetadataConnection) throws {
        result = try body(connection)
    }

    func succeed() {
        guard let result else { preconditionFailure("a write is answered before it was tried") }
        continuation.resume(returning: result)
    }

    func fail(_ error: any Error) {
        continuation.resume(throwing: error)
    }
}
