import ArgumentParser
import Foundation
import MetadataSQLite
import Model
import Storage

/// `cairn-server backup`.
struct Backup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Copy everything to a directory, while the server runs or while it does not.",
        discussion: """
            The backup is the server as it was at one moment. What the directory has already of an earlier backup is not copied \
            again. The manifest, with the size and the SHA-256 of every file, is written last: until then the earlier \
            backup stays whole.

            The keyring is not in the backup unless --with-keyring is given. Without the keyring nobody can read the \
            backup: keep a copy of it somewhere else.

            Every record is compared with its checksum as it is copied; one that is damaged is taken from another region.

            Exit codes: 0; 1 the backup was made, but the server itself has lost packs or blocks, which are named. \
            'fsck --full' and 'export' read a backup in the place of a data directory.
            """)

    @Argument(help: "The directory of the backup: new, empty, or an earlier backup.") var destination: String
    @OptionGroup var data: DataOption

    @Option(
        name: .customLong("region"),
        help: ArgumentHelp(
            "A further region of the server, as for 'run'. Default: those that the database remembers.",
            valueName: "dir"))
    var regions: [String] = []

    @Option(
        help: ArgumentHelp("The archive, as for 'run'. Default: the one that the database remembers.", valueName: "dir")
    )
    var archive: String?

    @Flag(help: "Put the keyring into the backup too: who has the backup can then read it.")
    var withKeyring = false

    func run() async throws {
        try await Failure.reporting {
            let folder = try data.folder(create: false)
            guard try data.installation().databaseServer == nil else {
                throw Failure(
                    .usage,
                    "a backup of metadata in PostgreSQL is PostgreSQL's (pg_basebackup, pg_dump), with a copy of the packs "
                        + "that is made afterwards")
            }
            try MetadataPlace(folder: folder, server: nil).present()
            let database = try folder.reader()
            let hand = try await RegionsAtHand.open(
                Installation(folder: folder, databaseServer: nil, keyRing: folder.keyRing), named: regions,
                archive: archive, database: database, writing: false)
            try await database.close()
            for (_, cause) in hand.missing { Output.note("cairn-server: not read: \(cause)") }
            let backup = WriteBackup(
                folder: folder, destination: BackupFolder(path: destination), regions: hand.all,
                clock: SystemWallClock(), withKeyRing: withKeyring)
            let outcome = try await backup()
            await hand.close()
            let manifest = outcome.manifest
            Output.line(
                "backup of \(manifest.made): \(manifest.packs.count) packs, \(outcome.copiedPacks) of them copied now "
                    + "(\(outcome.copiedBytes) bytes), \(outcome.prunedPacks) removed that are named no more")
            Output.note(
                withKeyring
                    ? "The keyring is in the backup: who has the backup can read everything. Keep it accordingly."
                    : "THE KEYRING IS NOT IN THE BACKUP. Without it nobody can read the backup: keep a copy of "
                        + "\(folder.keyRing) somewhere else.")
            if Self.tell(manifest) { throw ExitCode(1) }
        }
    }

    /// The most damaged blocks that are named one by one.
    private static let mostNamed = 1000

    /// Tells what the server had lost. Whether there is anything.
    private static func tell(_ manifest: BackupManifest) -> Bool {
        for pack in manifest.lost {
            Output.note("cairn-server: no region has pack \(pack): it is not in the backup")
        }
        let damaged = manifest.damaged ?? []
        for block in damaged.prefix(mostNamed) {
            Output.note(
                "cairn-server: no region has block \(block.block) of account \(block.account) whole (pack \(block.pack), "
                    + "offset \(block.offset)): it is damaged in the backup too")
        }
        if damaged.count > mostNamed {
            Output.note("cairn-server: and \(damaged.count - mostNamed) blocks more: the manifest names all of them")
        }
        if !damaged.isEmpty { Output.note("Which files that concerns: cairn-server fsck --full") }
        return !manifest.lost.isEmpty || !damaged.isEmpty
    }
}

/// `cairn-server restore`.
struct Restore: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a data directory of a backup.",
        discussion: """
            Every file is compared with the SHA-256 that was noted when it was backed up. The directory grows beside its place, \
            as DIR.restoring, and takes it when it is complete. The packs become its only region; further ones are named to 'run', \
            which fills them.

            Devices that have seen more than the backup holds notice it, change nothing, and say what to do.
            """)

    @Argument(help: "The directory of the backup.") var backup: String
    @OptionGroup var data: DataOption

    @Option(help: ArgumentHelp("The keyring, when it is not in the backup.", valueName: "file"))
    var keyring: String?

    func run() async throws {
        try await Failure.reporting {
            guard let target = data.path ?? ProcessInfo.processInfo.environment["CAIRN_DATA"], !target.isEmpty else {
                throw ValidationError("Name the new data directory: --data DIR.")
            }
            let restore = RestoreBackup(
                backup: BackupFolder(path: backup), target: RegionSet.absolute(target), keyRing: keyring,
                clock: SystemWallClock())
            let manifest = try await restore()
            Output.line("restored the backup of \(manifest.made) to \(target): \(manifest.packs.count) packs")
            for pack in manifest.lost { Output.note("cairn-server: pack \(pack) was lost before the backup was made") }
            for block in manifest.damaged ?? [] {
                Output.note("cairn-server: block \(block.block) was damaged before the backup was made")
            }
            Output.note("Check it: cairn-server fsck --full --data \(target)")
        }
    }
}
