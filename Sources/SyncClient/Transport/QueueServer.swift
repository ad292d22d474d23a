public import WireProtocol

/// What a device that was away asks of a server.
///
/// Contract: every call may be made again after a failure. They throw ``ClientError``, or `CancellationError` when the
/// task is cancelled.
public protocol QueueServer: Sendable {
    /// What the device has to look at.
    func queue() async throws -> QueueListing
    /// Says that the device has dealt with what an answer told.
    func acknowledgeQueue(_ position: String) async throws
}

extension APIClient: QueueServer {
    /// `GET /v1/queue`.
    public func queue() async throws -> QueueListing { try await json("GET", "/v1/queue") }

    /// `POST /v1/queue/acknowledge`.
    public func acknowledgeQueue(_ position: String) async throws {
        _ = try await perform(
            try Self.jsonExchange("POST", "/v1/queue/acknowledge", body: QueueAcknowledgement(position: position)))
    }
}
