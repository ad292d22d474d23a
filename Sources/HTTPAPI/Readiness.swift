import Synchronization

/// Whether a process wants to be sent requests. One that is about to stop says so first, while it serves all that still come:
/// a balancer that looks at `/ready` sends the next ones elsewhere, and none is refused.
public final class Readiness: Sendable {
    private let draining = Atomic(false)

    /// Makes a process that wants requests.
    public init() {}

    /// Whether the process is about to stop.
    public var isDraining: Bool { draining.load(ordering: .relaxed) }

    /// Says from now on that the process is about to stop.
    public func drain() { draining.store(true, ordering: .relaxed) }
}
