import Dispatch

/// Holds the thread of a connection within a body, until a test lets it go.
public final class Gate: Sendable {
    private let opened = DispatchSemaphore(value: 0)
    private let entered: AsyncStream<Void>
    private let enter: AsyncStream<Void>.Continuation

    /// Makes a gate that is shut.
    public init() {
        (entered, enter) = AsyncStream.makeStream()
    }

    /// Waits within a body, which may run again. Only the thread of the connection is blocked.
    public func wait() {
        enter.finish()
        opened.wait()
        // It stays open.
        opened.signal()
    }

    /// Lets the body go on.
    public func open() { opened.signal() }

    /// Returns when a body waits.
    public func waitUntilEntered() async {
        for await _ in entered {}
    }
}
