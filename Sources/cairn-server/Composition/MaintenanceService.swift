import Files
import Logging
import ServiceLifecycle
import Storage

/// What has to be done now and then: uploads that nobody finishes expire, and regions that were away get what they lack.
struct MaintenanceService: Service, CustomStringConvertible {
    /// Short, for the lines that the service group logs.
    let description = "maintenance"
    let expire: ExpireUploads
    let store: PackedBlockStore
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

    /// A round that fails is tried again in the next one; until then the log and the metrics tell.
    private func round() async {
        do {
            let expired = try await expire()
            if expired > 0 { log.info("uploads expired", metadata: ["count": "\(expired)"]) }
        } catch {
            log.error("uploads could not be expired", metadata: ["cause": "\(error)"])
        }
        do {
            let repaired = try await store.repairMissing()
            if repaired > 0 { log.notice("a region was repaired", metadata: ["packs": "\(repaired)"]) }
        } catch {
            log.error("a region could not be repaired", metadata: ["cause": "\(error)"])
        }
    }
}
