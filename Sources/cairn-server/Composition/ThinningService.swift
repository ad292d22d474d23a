import Files
import Logging
import ServiceLifecycle

/// Gives up the versions that no policy wants any more, once an hour, and what accounts that are over their quota have to.
struct ThinningService: Service, CustomStringConvertible {
    /// Short, for the lines that the service group logs.
    let description = "thinning"
    let thin: ThinVersions
    let relieve: RelieveQuotas
    let log: Logger

    private static let interval = Duration.seconds(3600)
    /// A server that has just started has other things to do, and one that is restarted often thins all the same.
    private static let firstPause = Duration.seconds(120)

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            try await Task.sleep(for: Self.firstPause)
            while true {
                await round()
                try await Task.sleep(for: Self.interval)
            }
        }
    }

    /// A round that fails is tried again in the next one; until then the log tells.
    private func round() async {
        do {
            let report = try await thin()
            if report.versions > 0 {
                log.info(
                    "versions thinned",
                    metadata: [
                        "files": "\(report.files)", "versions": "\(report.versions)", "bytes": "\(report.bytes)",
                    ])
            }
        } catch {
            log.error("versions could not be thinned", metadata: ["cause": "\(error)"])
        }
        do {
            for report in try await relieve() {
                log.notice(
                    "an account is over its quota",
                    metadata: [
                        "account": "\(report.account)", "needed": "\(report.needed)",
                        "versions": "\(report.versions)",
                    ])
            }
        } catch {
            log.error("accounts could not be brought below their quotas", metadata: ["cause": "\(error)"])
        }
    }
}
