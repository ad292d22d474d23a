import ArgumentParser
import Blocks
import Files
import Logging
import Messaging
import Metadata
import Model
import Storage
import StorageLocal

/// `cairn-server archive`.
struct Archive: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look after the archive, where blocks lie that only old versions need.",
        discussion: "A server that runs with --archive does the work of 'run' itself, once a day.",
        subcommands: [Status.self, Move.self])
}

extension Archive {
    /// `cairn-server archive status`.
    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what lies in the archive, and who waits for it.")

        @OptionGroup var data: DataOption

        func run() async throws {
            try await Failure.reporting {
                let database = try await data.database()
                let region = try await database.read { try ArchiveQueries($0).region() }
                let answer = try await CountArchive(database)()
                Output.line("archive\t\(region.map { "\($0)" } ?? "none")")
                Output.line("blocks\t\(answer.blocks)")
                Output.line("bytes\t\(answer.bytes)")
                for share in answer.accounts { Output.line("account\t\(share.blocks)\t\(share.bytes)\t\(share.name)") }
                Output.line("thawing\t\(answer.waiting)" + (answer.nextReady.map { "\t\(Notes.date($0))" } ?? ""))
                Output.line("ready\t\(answer.ready)")
                Output.line("failed\t\(answer.failed)")
                Output.line("last round\t\(answer.lastRound.map { Notes.date($0) } ?? "never")")
                try await database.close()
            }
        }
    }

    /// `cairn-server archive run`.
    struct Move: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "run", abstract: "Move what can go to the archive now, and bring back what is ready.",
            discussion: "While no server uses the data. Regions are named as for 'cairn-server run'.")

        @OptionGroup var data: DataOption
        @OptionGroup var archive: ArchiveOptions

        @Option(
            name: .customLong("region"),
            help: ArgumentHelp("A further directory that holds a copy of every pack.", valueName: "dir"))
        var regions: [String] = []

        func validate() throws {
            guard archive.directory != nil else { throw ValidationError("Name the archive: --archive DIR.") }
        }

        func run() async throws {
            try await Failure.reporting {
                guard let choice = archive.choice else { return }
                let folder = try data.folder(create: false)
                let lock = try folder.takeLock()
                defer { withExtendedLifetime(lock) {} }
                let database = try await data.database()
                let (keyRing, _) = try await KeyRingFile.open(folder.keyRing, database: database)
                let directories = [folder.packs] + regions
                let clock = SystemWallClock()
                let identities = try await RegionSet(database: database, clock: clock).resolve(directories)
                let store = try await LocalBlockStore.open(directories: directories, identities: identities)
                let tier = try await ArchiveSet.open(
                    choice, database: database, packSize: PackedStoreConfiguration().packSize, clock: clock)
                let context = FilesContext(
                    database: database, store: store, keyRing: keyRing, bus: InProcessChangeBus(), clock: clock,
                    randomness: Randomness(SecureRandom()), workers: WorkerPool(workers: 1),
                    log: Logger(label: "cairn"), archive: tier)
                try await Self.work(context)
                try await tier.store.close()
                try await store.close()
                try await database.close()
            }
        }

        private static func work(_ context: FilesContext) async throws {
            let back = try await ThawBlocks(context)()
            let report = try await ArchiveBlocks(context)()
            Output.line(
                "archived \(report.blocks) blocks, \(report.bytes) bytes, as \(report.archivedBytes) bytes")
            Output.line("brought back \(back.blocks) blocks; \(back.ready) requests are ready")
            if report.removedPacks > 0 { Output.line("removed \(report.removedPacks) packs") }
            if report.damaged + back.failed > 0 {
                throw Failure(.inputOutput, "\(report.damaged) blocks are damaged, \(back.failed) requests have failed")
            }
        }
    }
}
