import Metadata

/// A call that waits for a connection, or is being tried on one.
///
/// Its variables are touched by one thread at a time: the one that has taken it from the queue.
protocol PoolCall: AnyObject, Sendable {
    /// The transaction that it needs.
    var kind: TransactionKind { get }
    /// Until when it waits for a server, and is tried anew.
    var deadline: ContinuousClock.Instant { get }
    /// How often others were in its way.
    var conflicts: Int { get set }
    /// Whether its statements get savepoints.
    var usesSavepoints: Bool { get set }

    /// Runs the body.
    /// - Throws: what the body throws.
    func attempt(_ connection: any MetadataConnection) throws
    /// Answers the caller with what the last attempt gave.
    func succeed()
    /// Answers the caller with an error.
    func fail(_ error: any Error)
}

/// A body with the caller who waits for what it gives.
///
/// `@unchecked Sendable`: the variables are only touched by the thread that has taken the call from the queue, and the queue's
/// lock lies between one such thread and the next.
final class PendingCall<T: Sendable>: PoolCall, @unchecked Sendable {
    let kind: TransactionKind
    let deadline: ContinuousClock.Instant
    var conflicts = 0
    var usesSavepoints = false
    private let body: @Sendable (any MetadataConnection) throws -> T
    private let continuation: CheckedContinuation<T, any Error>
    private var result: T?

    init(
        _ kind: TransactionKind, until deadline: ContinuousClock.Instant,
        _ body: @escaping @Sendable (any MetadataConnection) throws -> T,
        _ continuation: CheckedContinuation<T, any Error>
    ) {
        self.kind = kind
        self.deadline = deadline
        self.body = body
        self.continuation = continuation
    }

    func attempt(_ connection: any MetadataConnection) throws {
        result = try body(connection)
    }

    func succeed() {
        guard let result else { preconditionFailure("a call is answered before it was tried") }
        continuation.resume(returning: result)
    }

    func fail(_ error: any Error) {
        continuation.resume(throwing: error)
    }
}
