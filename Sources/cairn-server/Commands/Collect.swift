import ArgumentParser
import Blocks
import Files
import Foundation
import Logging
import Messaging
import Metadata
import Model
import Storage
import StorageLocal

/// `cairn-server collect`.
struct Collect: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Remove what no version needs any more, while the server does not run.",
        discussion: """
            A server that runs does this by itself, see 'cairn-server run --collect-interval'. Without --now only what has not been \
            needed for as long as the windows say is removed, and the rest is noted. With --now nothing waits: what is not \
            needed goes at once. An upload that was interrupted goes on afterwards, but may have to send some of its data again.

            Name all of the server's regions, or those that are not named keep what is removed until they are.
            """)

    @OptionGroup var data: DataOption

    @Option(
        name: .customLong("region"),
        help: ArgumentHelp(
            "A further directory that holds a copy of every pack, as for 'run'; may be given several times.",
            valueName: "dir"))
    var regions: [String] = []

    @Flag(help: "Let nothing wait.")
    var now = false

    @Flag(help: "Change nothing: say what would be done.")
    var dryRun = false

    @Flag(help: "Write the report as JSON.")
    var json = false

    @Option(help: ArgumentHelp("For how long nothing may have needed what is removed.", valueName: "time"))
    var safetyWindow = TimeSpan(hours: 48)

    @Option(help: ArgumentHelp("For how long a pack that nothing refers to waits.", valueName: "time"))
    var packWindow = TimeSpan(hours: 1)

    @Option(help: ArgumentHelp("From this size on a pack is complete.", valueName: "bytes"))
    var packSize = ByteCount(mebibytes: 64)

    @OptionGroup var logging: LogOptions

    /// With --now: each run may make something that the next one removes.
    private static let mostRuns = 6

    func validate() throws {
        guard (1 << 20...2 << 30).contains(packSize.bytes) else {
            throw ValidationError("--pack-size goes from 1M to 2G.")
        }
    }

    func run() async throws {
        try await Failure.reporting {
            let folder = try data.folder(create: false)
            logging.bootstrap()
            let lock = try takeLock(folder)
            defer { Glibc.close(lock) }
            let report = try await collect(folder)
            try write(report)
        }
    }

    private func takeLock(_ folder: DataFolder) throws -> Int32 {
        do {
            return try folder.takeLock()
        } catch let failure as Failure where failure.code == .unavailable {
            throw Failure(.unavailable, "\(failure.message); a server that runs collects by itself")
        }
    }

    private func collect(_ folder: DataFolder) async throws -> CollectionReport {
        let database = try await data.database()
        let clock = SystemWallClock()
        let directories = [folder.packs] + regions
        let store = try await LocalBlockStore.open(
            directories: directories,
            identities: try await RegionSet(database: database, clock: clock).resolve(directories),
            configuration: PackedStoreConfiguration(packSize: packSize.bytes))
        let context = FilesContext(
            database: database, store: store, keyRing: KeyRingFile(path: folder.keyRing), bus: InProcessChangeBus(),
            clock: clock, randomness: Randomness(SecureRandom()), workers: WorkerPool(workers: 1),
            log: Logger(label: "cairn"))
        let collect = CollectGarbage(context, limits: limits)
        var newest = try await collect(dryRun: dryRun)
        var report = newest
        var runs = 1
        while now, !dryRun, !newest.isIdle, runs < Self.mostRuns {
            newest = try await collect()
            report.add(newest)
            runs += 1
        }
        try await store.close()
        try await database.close()
        return report
    }

    private var limits: CollectionLimits {
        var limits = CollectionLimits()
        limits.safetyWindow = now ? .zero : safetyWindow.duration
        limits.packWindow = now ? .zero : packWindow.duration
        if now { limits.clockSlack = .zero }
        return limits
    }

    private func write(_ report: CollectionReport) throws {
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys]
            Output.line(String(decoding: try encoder.encode(report), as: UTF8.self))
        } else {
            for line in report.lines(isDry: dryRun) { Output.line(line) }
        }
        for failure in report.failures { Output.note(failure) }
        if !report.failures.isEmpty {
            throw Failure(.inputOutput, "not all could be collected")
        }
    }
}

extension CollectionReport {
    /// The report for people.
    func lines(isDry: Bool) -> [String] {
        [
            "accounts\t\(accounts)",
            "condemned\(isDry ? " (would be)" : "")\t\(condemned)",
            "needed again\t\(rescued)",
            "waiting\t\(waiting)",
            "removed\(isDry ? " (would be)" : "")\t\(sweptBlocks) blocks, \(sweptPages) pages, \(sweptBytes) bytes",
            "packs compacted\(isDry ? " (would be)" : "")\t\(packsCompacted), \(bytesCopied) bytes copied",
            "packs waiting\t\(packsDoomed)",
            "packs removed\t\(packsRemoved), \(bytesFreed) bytes",
            "stored\t\(storedBytes) bytes",
            "in use\t\(liveBytes) bytes",
        ]
    }
}
