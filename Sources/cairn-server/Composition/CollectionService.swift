import Files
import Logging
import Metadata
import Model
import ServiceLifecycle

/// Collects now and then what nothing needs any more, slowly, so that requests hardly notice.
struct CollectionService: Service, CustomStringConvertible {
    /// Short, for the lines that the service group logs.
    let description = "collection"
    let collect: CollectGarbage
    let interval: Duration
    let clock: any WallClock
    let log: Logger

    /// How long it rests after each transaction.
    static let rest = Duration.milliseconds(5)
    /// What a server that was just started is left alone for, at most.
    private static let start = Duration.seconds(60)

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            try await Task.sleep(for: min(Self.start, interval))
            while true {
                if let wait = await waitingTime() {
                    try await Task.sleep(for: wait)
                } else {
                    await round()
                }
            }
        }
    }

    /// How long until the next run is due; nil when it is. A restart does not make it due.
    private func waitingTime() async -> Duration? {
        do {
            guard let last = try await collect.lastRun() else { return nil }
            let nanoseconds = last.advanced(by: interval).nanoseconds - clock.now().nanoseconds
            // A clock that was set back must not stop it for longer than the interval.
            return nanoseconds > 0 ? min(interval, .nanoseconds(nanoseconds)) : nil
        } catch {
            log.error("the last collection can't be looked up", metadata: ["cause": "\(error)"])
            return interval
        }
    }

    /// A run that fails is tried again when the next one is due.
    private func round() async {
        do {
            let report = try await collect()
            log.info(
                "collected",
                metadata: [
                    "condemned": "\(report.condemned)", "rescued": "\(report.rescued)",
                    "swept": "\(report.sweptPages + report.sweptBlocks)", "packs compacted": "\(report.packsCompacted)",
                    "packs removed": "\(report.packsRemoved)", "stored": "\(report.storedBytes)",
                    "live": "\(report.liveBytes)",
                ])
        } catch is CancellationError {
            log.info("a collection was interrupted")
        } catch {
            log.error("a collection failed", metadata: ["cause": "\(error)"])
        }
    }
}
