import Files
import Logging
import ServiceLifecycle
import Storage

/// Brings to regions that were away what they lack. Each process that keeps packs in directories knows what its own regions
/// lack, so each has this service; they take turns. What buckets lack is noted in them, so there it is one job for all.
struct RepairService: Service, CustomStringConvertible {
    /// Short, for the lines that the service group logs.
    let description = "repair"
    let store: any MaintainedBlockStore
    /// Whose turn it is; nil in a process that is alone.
    let turn: HoldLease?
    let log: Logger

    /// How often it is looked whether something is lacking that this process does not know of.
    private static let interval = Duration.seconds(60)
    /// The same while something is: the region may be back.
    private static let shortInterval = Duration.seconds(15)

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            var last: ContinuousClock.Instant?
            while true {
                if let last, last.duration(to: .now) < Self.interval, store.statistics.pendingRepairs == 0 {
                    try await Task.sleep(for: Self.shortInterval)
                    continue
                }
                last = .now
                if let turn, store.statistics.pendingRepairs > 0 {
                    try await turn.run { _ in await round() }
                } else {
                    await round()
                }
                try await Task.sleep(for: Self.shortInterval)
            }
        }
    }

    /// A round that fails is tried again in the next one; until then the log and the metrics tell.
    private func round() async {
        do {
            let repaired = try await store.repairMissing()
            if repaired > 0 { log.notice("a region was repaired", metadata: ["packs": "\(repaired)"]) }
        } catch {
            log.error("a region could not be repaired", metadata: ["cause": "\(error)"])
        }
    }
}
