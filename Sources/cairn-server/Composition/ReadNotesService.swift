import Files
import Logging
import ServiceLifecycle

/// Writes down once a minute which blocks were read from this process, so that what is used is not archived.
struct ReadNotesService: Service, CustomStringConvertible {
    /// Short, for the lines that the service group logs.
    let description = "read notes"
    let note: NoteReads
    let log: Logger

    private static let interval = Duration.seconds(60)

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while true {
                do {
                    try await note()
                } catch {
                    if error is CancellationError { throw error }
                    log.error("what was read could not be noted", metadata: ["cause": "\(error)"])
                }
                try await Task.sleep(for: Self.interval)
            }
        }
    }
}
