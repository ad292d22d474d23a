public import Messaging
public import Testing

/// What every offline queue has to do. An adapter's test runs all ``checks`` on queues of its own.
public struct OfflineQueueConformance: Sendable {
    /// Makes an empty queue with bounds.
    public typealias Factory = @Sendable (QueueBounds) async throws -> any OfflineQueueReplica

    /// One thing that has to be so.
    public struct Check: Sendable, CustomTestStringConvertible {
        /// What has to be so, as a sentence.
        public let testDescription: String
        private let bounds: QueueBounds
        private let body: @Sendable (any OfflineQueueReplica, any OfflineQueueReplica) async throws -> Void

        /// A check of one queue.
        init(
            _ sentence: String, bounds: QueueBounds = QueueBounds(),
            _ body: @escaping @Sendable (any OfflineQueueReplica) async throws -> Void
        ) {
            testDescription = sentence
            self.bounds = bounds
            self.body = { first, _ in try await body(first) }
        }

        /// A check of one queue that takes something over from another of the same kind.
        init(
            pair sentence: String,
            _ body: @escaping @Sendable (any OfflineQueueReplica, any OfflineQueueReplica) async throws -> Void
        ) {
            testDescription = sentence
            bounds = QueueBounds()
            self.body = body
        }

        /// Runs the check on fresh queues.
        public func run(_ make: Factory) async throws {
            let (first, second) = (try await make(bounds), try await make(bounds))
            try await body(first, second)
            try await first.close()
            try await second.close()
        }
    }

    /// All checks.
    public static let checks: [Check] = deliveryChecks + boundChecks + replicaChecks
}
