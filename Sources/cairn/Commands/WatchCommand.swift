import ArgumentParser
import Logging
import ServiceLifecycle
import SyncClient
import UnixSignals

struct WatchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Keep all linked folders in sync until stopped.",
        discussion: """
            Changes here are noticed by the kernel (inotify), changes elsewhere by a long poll; both are usually on \
            the other side within a fraction of a second. SIGINT and SIGTERM stop it cleanly; whatever stops it, the \
            next start goes on where it was. Problems do not end it: 'cairn status' shows them.
            """)

    @Flag(help: "Say nothing but errors.")
    var quiet = false

    @OptionGroup var options: HomeOptions

    func run() async throws {
        try await withClient(options) { client in
            let quiet = quiet
            let services = try await client.watchServices { event in
                switch event {
                case .problem(let folder, let message):
                    Terminal.error("\(Terminal.printable(folder)): \(Terminal.printable(message))")
                case .pass(let folder, let result) where !quiet:
                    let counts = result.counts
                    if counts.changesSent == 0, counts.changesApplied == 0, result.conflicts.isEmpty { return }
                    Terminal.line(
                        """
                        \(Terminal.printable(folder)): revision \(result.revision), \(counts.changesSent) sent, \
                        \(counts.changesApplied) applied, \(result.waiting.count) waiting
                        """)
                case .watching(let folder) where !quiet:
                    Terminal.line("\(Terminal.printable(folder)): watching")
                default: break
                }
            }
            var logger = Logger(label: "cairn")
            logger.logLevel = .error
            let group = ServiceGroup(
                configuration: .init(
                    services: services.map {
                        .init(
                            service: $0, successTerminationBehavior: .gracefullyShutdownGroup,
                            failureTerminationBehavior: .gracefullyShutdownGroup)
                    },
                    gracefulShutdownSignals: [.sigint, .sigterm], logger: logger))
            try await group.run()
        }
    }
}
