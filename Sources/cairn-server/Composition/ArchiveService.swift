import Files
import Logging
import Metadata
import Model
import ServiceLifecycle

/// Keeps an archive going: serves who waits for something of it at once, and now and then moves there what the policy lets go.
struct ArchiveService: Service, CustomStringConvertible {
    /// Short, for the lines that the service group logs.
    let description = "archive"
    let context: FilesContext
    let archive: ArchiveTier
    let thaw: ThawBlocks
    /// How long after a round the next one begins.
    let round: Duration

    /// How often it is looked whether something is due that nobody rang for.
    private static let interval = Duration.seconds(60)
    /// How fast blocks are moved at most, read and written bytes together.
    private static let bytesPerSecond = 16 << 20

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await serve() }
                group.addTask { try await move() }
                try await group.waitForAll()
            }
        }
    }

    private var log: Logger { context.log }

    /// A round that fails is tried again in the next one; until then the log tells.
    private func serve() async throws {
        var nextUpkeep = ContinuousClock.now
        while true {
            var next: Timestamp?
            do {
                if ContinuousClock.now >= nextUpkeep {
                    nextUpkeep = .now + Self.interval
                    try await NoteReads(context)()
                    try await WarmFiles(context)()
                    try await CountArchive(context.database).count(into: archive.counts)
                }
                let report = try await thaw()
                next = report.next
                if report.ready + report.failed > 0 {
                    log.info(
                        "brought back from the archive",
                        metadata: [
                            "blocks": "\(report.blocks)", "ready": "\(report.ready)", "failed": "\(report.failed)",
                        ])
                    nextUpkeep = .now
                }
            } catch {
                if error is CancellationError { throw error }
                log.error("the archive could not be served", metadata: ["cause": "\(error)"])
            }
            try await wait(until: next)
        }
    }

    private func wait(until next: Timestamp?) async throws {
        let now = context.clock.now()
        let left = next.map { Duration.nanoseconds($0.nanoseconds - now.nanoseconds) } ?? Self.interval
        let pause = min(Self.interval, max(.milliseconds(100), left))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [archive] in
                await archive.bell.wait()
            }
            group.addTask { try await Task.sleep(for: pause) }
            try await group.next()
            group.cancelAll()
        }
        // Those who ask together are served together.
        try await Task.sleep(for: .milliseconds(50))
    }

    private func move() async throws {
        let blocks = ArchiveBlocks(context, pace: Self.pace)
        while true {
            do {
                if try await isDue() {
                    let report = try await blocks()
                    log.info(
                        "moved to the archive",
                        metadata: [
                            "blocks": "\(report.blocks)", "bytes": "\(report.bytes)",
                            "archived": "\(report.archivedBytes)", "damaged": "\(report.damaged)",
                            "removed_packs": "\(report.removedPacks)",
                        ])
                }
            } catch {
                if error is CancellationError { throw error }
                log.error("a round of the archive failed", metadata: ["cause": "\(error)"])
            }
            try await Task.sleep(for: min(round, Self.interval * 10))
        }
    }

    private func isDue() async throws -> Bool {
        guard let last = try await context.database.read({ try ArchiveQueries($0).lastRound() }) else { return true }
        return last.advanced(by: round) <= context.clock.now()
    }

    private static let pace: ArchiveBlocks.Pace = { bytes in
        try await Task.sleep(for: .seconds(Double(bytes) / Double(bytesPerSecond)))
    }
}
