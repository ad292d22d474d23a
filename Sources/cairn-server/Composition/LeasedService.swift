import Files
import Metadata
import ServiceLifecycle

/// A job that runs in one of the processes of a server: in this one while it is its turn.
struct LeasedService: Service, CustomStringConvertible {
    /// The job, short, for the lines that the service group logs.
    let description: String
    let hold: HoldLease
    /// Makes the job for one term. It has to end when its task is cancelled.
    let job: @Sendable (Lease) -> any Service

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown {
                try await hold.run { try await job($0).run() }
            }
        } catch is CancellationError {
            // The server stops.
        }
    }
}
