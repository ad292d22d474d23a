import Model
import Synchronization

/// One stream of events, for as long as somebody holds it. It ends early when its device is revoked.
final class EventStream: Sendable {
    private struct State {
        var isEnded = false
        var onEnd: (@Sendable () -> Void)?
    }

    let device: DeviceID
    private let release: @Sendable () -> Void
    private let state = Mutex(State())

    init(device: DeviceID, release: @escaping @Sendable () -> Void) {
        self.device = device
        self.release = release
    }

    deinit { release() }

    var isEnded: Bool { state.withLock { $0.isEnded } }

    /// Ends the stream; what waits for it stops waiting. It does not block.
    func end() {
        let action = state.withLock { state in
            state.isEnded = true
            return state.onEnd.take()
        }
        action?()
    }

    /// Runs an operation that is cancelled when the stream ends.
    /// - Returns: What it returns; nil when the stream ended before.
    func whileOpen<Value: Sendable>(
        _ operation: @escaping @Sendable () async throws -> Value
    ) async throws -> Value? {
        let (ending, signal) = AsyncStream<Void>.makeStream()
        watch { signal.finish() }
        defer { watch(nil) }
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await operation() }
            group.addTask {
                for await _ in ending {}
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
    }

    private func watch(_ action: (@Sendable () -> Void)?) {
        let isEnded = state.withLock { state in
            state.onEnd = action
            return state.isEnded
        }
        if isEnded { action?() }
    }
}
