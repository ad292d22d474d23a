import NIOCore

/// Notices that a client hung up while its request is being served, which nothing else would tell before the answer is
/// written: a parked poll may have minutes to go.
///
/// The connection's event loop is the only one to touch it.
final class DisconnectWatch: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = Any

    private var isClosed = false
    private var onClose: (@Sendable () -> Void)?

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed { close() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        close()
        context.fireChannelInactive()
    }

    private func close() {
        isClosed = true
        onClose?()
        onClose = nil
    }

    /// Calls `action` when the client of a connection hangs up, at once when it has; the action before is forgotten.
    static func watch(_ channel: any Channel, _ action: (@Sendable () -> Void)?) {
        channel.eventLoop.execute {
            guard let watch = try? channel.pipeline.syncOperations.handler(type: DisconnectWatch.self) else { return }
            watch.onClose = action
            if watch.isClosed { watch.close() }
        }
    }
}

/// The client hung up while its request was served: nobody reads the answer, and nothing went wrong.
struct ClientGone: Error {
    /// What the log calls such a request; the number is not registered, but widely used for this.
    static let status = 499
}

/// Runs an operation that is cancelled when the client hangs up.
/// - Throws: ``ClientGone`` then, and what the operation throws.
func cancelledOnDisconnect<Value: Sendable>(
    _ channel: any Channel, _ operation: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    let (hangUp, signal) = AsyncStream<Void>.makeStream()
    DisconnectWatch.watch(channel) { signal.finish() }
    defer { DisconnectWatch.watch(channel, nil) }
    return try await withThrowingTaskGroup(of: Value?.self) { group in
        group.addTask { try await operation() }
        group.addTask {
            for await _ in hangUp {}
            return nil
        }
        defer { group.cancelAll() }
        guard let first = try await group.next(), let value = first else { throw ClientGone() }
        return value
    }
}
