import ArgumentParser
import Blocks
import Files
import Foundation
import Metadata
import Model

/// `cairn-server export`.
struct Export: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write the tree of an account as plain files, from a server's data or from a backup.",
        discussion: """
            Names, permissions, times and symbolic links are as in the tree; permissions that lend rights (setuid, setgid) are left \
            out. Every block is verified on the way. What can't be read is named on standard error, and everything else is written.

            Exit codes: 0 everything was written; 1 some of it could not be; the others are those of the other commands.
            """)

    @Argument(help: "The directory to write to: new or empty.") var destination: String
    @OptionGroup var data: DataOption
    @Option(help: "The account's name.") var account: String

    @Option(
        help: ArgumentHelp(
            "As it was then: a revision, or a moment as 2026-01-02T03:04:05Z. Default: as it is.",
            valueName: "time|revision"))
    var at: ExportMoment?

    @Option(
        name: .customLong("region"),
        help: ArgumentHelp(
            "A further region, as for 'run'; where buckets hold the packs the name of one, which alone is read. Default: those that the "
                + "database remembers.", valueName: "dir"))
    var regions: [String] = []

    @Option(
        help: ArgumentHelp("The archive, as for 'run'. Default: the one that the database remembers.", valueName: "dir")
    )
    var archive: String?

    @Flag(help: "Write nothing: list what would be written, and tell what is missing.")
    var dryRun = false

    func run() async throws {
        try await Failure.reporting {
            let installation = try data.installation()
            let database = try await installation.metadata.reader()
            let (account, revision) = try await find(database)
            let key = try KeyRingFile(path: installation.keyRing).keyRing().unwrap(
                WrappedKey(masterKey: account.masterKey, bytes: account.wrappedKey), for: account.id)
            let hand = try await RegionsAtHand.open(
                installation, named: regions, archive: archive, database: database, writing: false)
            for (_, cause) in hand.missing { Output.note("cairn-server: not read: \(cause)") }
            let place = ExportPath(destination)
            if !dryRun { try Self.begin(destination) }
            let contents = StoredContents(
                database: database, regions: hand.all,
                workers: WorkerPool(workers: ProcessInfo.processInfo.activeProcessorCount), account: account.id,
                key: key)
            let export = ExportTree(
                database: database, contents: contents, namespace: account.home, revision: revision, isDry: dryRun,
                list: Output.line
            ) { path, error in
                Output.note("cairn-server: \(path): \(Failure(describing: error).message)")
            }
            let outcome = try await export(to: place)
            await hand.close()
            try await database.close()
            Output.line(
                "\(outcome.files) files (\(outcome.bytes) bytes), \(outcome.folders) folders, \(outcome.links) links of revision "
                    + "\(revision)" + (dryRun ? " would be written" : ""))
            guard outcome.failures == 0 else {
                Output.note("cairn-server: \(outcome.failures) entries could not be written")
                throw ExitCode(1)
            }
        }
    }

    /// Whose tree it is, and at which revision.
    private func find(_ database: any MetadataDatabase) async throws -> (AccountRecord, Revision) {
        let (name, at) = (account, at)
        let found = try await database.read { connection -> (AccountRecord, Revision, Revision)? in
            guard let record = try AccountQueries(connection).byName(name),
                let head = try NamespaceQueries(connection).head(of: record.home)
            else { return nil }
            switch at {
            case nil: return (record, head.revision, head.revision)
            case .revision(let revision): return (record, revision, head.revision)
            case .time(let time):
                let revision = try CommitQueries(connection).revision(at: time, in: record.home)
                return (record, revision, head.revision)
            }
        }
        guard let (record, revision, head) = found else { throw Failure(.usage, "there is no account '\(name)'") }
        guard revision <= head else {
            throw Failure(.usage, "the tree of \(name) has only \(head) revisions, there is no revision \(revision)")
        }
        return (record, revision)
    }

    private static func begin(_ destination: String) throws {
        if access(destination, F_OK) != 0 { return try SafeFiles.makeFolder(destination) }
        let entries = try? FileManager.default.contentsOfDirectory(atPath: destination)
        guard entries?.isEmpty == true else {
            throw Failure(.configuration, "\(destination) is not an empty directory")
        }
    }
}
