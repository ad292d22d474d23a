import HTTPAPI
import ServiceLifecycle

/// Says that the process is about to stop when it is told to, and waits before the others stop: who looks at `/ready` sends no
/// more requests by then. It has to be the last of the services: the last one stops first.
struct DrainService: Service, CustomStringConvertible {
    /// Short, for the lines that the service group logs.
    let description = "drain"
    let readiness: Readiness
    let duration: Duration

    func run() async throws {
        do { try await gracefulShutdown() } catch is CancellationError { return }
        readiness.drain()
        try? await Task.sleep(for: duration)
    }
}
