import Files
import Logging
import ServiceLifecycle

/// Gives up uploads that nobody finishes, once a minute.
struct ExpiryService: Service, CustomStringConvertible {
    /// Short, for the lines that the service group logs.
    let description = "expiry"
    let expire: ExpireUploads
    let log: Logger

    private static let interval = Duration.seconds(60)

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while true {
                await round()
                try await Task.sleep(for: Self.interval)
            }
        }
    }

    /// A round that fails is tried again in the next one; until then the log tells.
    private func round() async {
        do {
            let expired = try await expire()
            if expired > 0 { log.info("uploads expired", metadata: ["count": "\(expired)"]) }
        } catch {
            log.error("uploads could not be expired", metadata: ["cause": "\(error)"])
        }
    }
}
