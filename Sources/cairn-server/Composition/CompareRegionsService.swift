import Logging
import ServiceLifecycle
import Storage
import StorageS3

/// Compares once a day what the buckets hold, and notes what is missing in one of them, which the repair then brings: what was
/// lost without anybody's doing, and all of it when a region is new.
struct CompareRegionsService: Service, CustomStringConvertible {
    /// Short, for the lines that the service group logs.
    let description = "comparison"
    let store: S3BlockStore
    let log: Logger

    private static let interval = Duration.seconds(86_400)
    /// After a failure, which is mostly a region that is away.
    private static let rest = Duration.seconds(600)
    /// A server that has just started has other things to do.
    private static let firstPause = Duration.seconds(60)
    /// What is younger may be on its way.
    private static let age = Duration.seconds(3600)

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            try await Task.sleep(for: Self.firstPause)
            while true { try await Task.sleep(for: await round() ? Self.interval : Self.rest) }
        }
    }

    /// Answers whether all regions could be compared.
    private func round() async -> Bool {
        do {
            let differences = try await store.noteDifferences(olderThan: Self.age)
            if differences > 0 {
                log.warning("regions differ, and are made equal", metadata: ["packs": "\(differences)"])
            }
            return true
        } catch {
            log.notice("the regions could not be compared", metadata: ["cause": "\(error)"])
            return false
        }
    }
}
