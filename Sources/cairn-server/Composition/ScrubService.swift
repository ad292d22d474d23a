import Files
import Logging
import ServiceLifecycle

/// Reads the packs of the running server slowly, for ever.
struct ScrubService: Service, CustomStringConvertible {
    /// Short, for the lines that the service group logs.
    let description = "scrub"
    let scrub: ScrubPacks
    let log: Logger

    /// After a failure, and while there is nothing to read.
    private static let rest = Duration.seconds(60)

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while true {
                do {
                    if try await scrub.next() != nil { continue }
                } catch is CancellationError {
                    throw CancellationError()
                } catch {
                    log.error("the scrub could not go on", metadata: ["cause": "\(error)"])
                }
                try await Task.sleep(for: Self.rest)
            }
        }
    }
}
