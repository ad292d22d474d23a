import Messaging
import Model
import Synchronization

/// Ways to wait, for tests that do not wait.
enum Pauses {
    /// Waits until the task is cancelled.
    static let endless: @Sendable (Duration) async throws -> Void = { _ in
        for await _ in AsyncStream<Never>.makeStream().stream {}
        throw CancellationError()
    }

    /// Does not wait.
    static let none: @Sendable (Duration) async throws -> Void = { _ in try Task.checkCancellation() }
}

/// A duration that stands still until a test moves it.
final class ManualElapsed: Sendable {
    private let state = Mutex(Duration.zero)

    var now: Duration { state.withLock { $0 } }

    func advance(by duration: Duration) { state.withLock { $0 += duration } }
}
