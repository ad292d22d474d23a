import Foundation
import HTTPAPI
import Metadata
import MetadataSQLite
import Model
import Storage

/// Writes a backup of a server, whether it runs or not, or brings one up to date.
///
/// Packs only grow until they are sealed, and one that is given up stays for a while. So a copy of the database as it is
/// at one moment, with every pack that it names, is a whole server as it was at that moment.
///
/// Each record is compared with its checksum as it is copied. What no region has whole is copied as it is, named in the
/// manifest, and looked for again by the next backup.
struct WriteBackup {
    /// What was done.
    struct Outcome {
        let manifest: BackupManifest
        var copiedPacks = 0
        var copiedBytes: UInt64 = 0
        var prunedPacks = 0
    }

    let folder: DataFolder
    let destination: BackupFolder
    let regions: [any PackRegion]
    let clock: any WallClock
    let withKeyRing: Bool
    /// Called before each pack is copied, for tests.
    var beforePack: @Sendable (PackID) async throws -> Void = { _ in }

    /// What is known of the packs that are in the backup.
    private struct Packs {
        /// Those that are there, as far as they are known.
        var files: [PackID: HashedFile] = [:]
        var copied: [PackID: HashedFile] = [:]
        /// What is damaged in those that were copied.
        var gaps: [PackID: [Range<UInt64>]] = [:]
    }

    private var copying: PackCopy { PackCopy(destination: destination, regions: regions) }

    /// How often a pack may go while it is to be copied, until it counts as lost.
    private static let attempts = 5

    func callAsFunction() async throws -> Outcome {
        let lock = try destination.begin()
        defer { close(lock) }
        let database = try folder.reader()
        let outcome = try await write(database)
        try await database.close()
        return outcome
    }

    private func write(_ database: SQLiteMetadataReader) async throws -> Outcome {
        var packs = Packs()
        packs.files = try BackupManifest(reading: destination.manifest)?.wholeFiles() ?? [:]
        // Most of it first, so that the copy of the database is young when the rest is copied.
        _ = try await copyPacks(named: database, &packs)
        var moment = ""
        var missing: [PackID] = []
        for _ in 0..<Self.attempts {
            moment = Dates.iso8601(clock.now())
            unlink(destination.databaseDraft)
            // What lies in the archive lies with the other packs here.
            try await database.copy(to: destination.databaseDraft) { try ArchiveQueries($0).forgetArchive() }
            chmod(destination.databaseDraft, 0o600)
            try SafeFiles.sync(destination.databaseDraft)
            let snapshot = try SQLiteMetadataReader(path: destination.databaseDraft)
            missing = try await copyPacks(named: snapshot, &packs)
            try await snapshot.close()
            // A pack that went meanwhile was given up: a newer database does not name it.
            if missing.isEmpty { break }
        }
        let keyRing = withKeyRing ? try SafeFiles.copy(folder.keyRing, to: destination.keyRing) : nil
        if keyRing == nil { unlink(destination.keyRing) }
        let (named, damaged) = try await contents(packs)
        let manifest = BackupManifest(
            made: moment, database: try SafeFiles.hash(of: destination.databaseDraft), packs: named, lost: missing,
            damaged: damaged, keyring: keyRing)
        try publish(manifest)
        var outcome = Outcome(manifest: manifest)
        outcome.copiedPacks = packs.copied.count
        outcome.copiedBytes = packs.copied.values.reduce(0) { $0 + $1.size }
        outcome.prunedPacks = try prune(keeping: Set(named.keys))
        return outcome
    }

    /// The files of the packs that the copy of the database names, and what it names that is damaged in them.
    private func contents(_ packs: Packs) async throws -> ([PackID: HashedFile], [BackupManifest.Block]) {
        let snapshot = try SQLiteMetadataReader(path: destination.databaseDraft)
        var named: [PackID: HashedFile] = [:]
        var damaged: [BackupManifest.Block] = []
        var pack = try await snapshot.read { try CheckQueries($0).namedPack(after: nil) }
        while let current = pack {
            named[current] = packs.files[current]
            let gaps = packs.gaps[current] ?? []
            damaged += try await snapshot.read { try CheckQueries($0).named(in: current, touching: gaps) }
                .map { BackupManifest.Block($0.block, of: $0.account) }
            pack = try await snapshot.read { try CheckQueries($0).namedPack(after: current) }
        }
        try await snapshot.close()
        return (named, damaged)
    }

    /// Copies what is not there yet of the packs that a database names.
    /// - Returns: the packs that no region has.
    private func copyPacks(named database: SQLiteMetadataReader, _ packs: inout Packs) async throws -> [PackID] {
        var missing: [PackID] = []
        var last: PackID?
        while true {
            let start = last
            let next = try await database.read { connection -> (PackID, UInt64)? in
                guard let pack = try CheckQueries(connection).namedPack(after: start) else { return nil }
                return (pack, try CheckQueries(connection).end(of: pack) ?? 0)
            }
            guard let (pack, end) = next else { return missing }
            last = pack
            if try await isThere(pack, end, database, &packs) { continue }
            try await beforePack(pack)
            // What is known of it from before is no longer so.
            packs.files[pack] = nil
            packs.gaps[pack] = nil
            if let result = try await copying(pack, end) {
                packs.files[pack] = result.file
                packs.copied[pack] = result.file
                if !result.gaps.isEmpty { packs.gaps[pack] = result.gaps }
            } else {
                missing.append(pack)
            }
        }
    }

    /// Whether the backup has all of a pack that is named. One that no manifest speaks of, or as damaged, is read anew.
    private func isThere(
        _ pack: PackID, _ end: UInt64, _ database: SQLiteMetadataReader, _ packs: inout Packs
    ) async throws -> Bool {
        // What was copied in this run is as good as it gets.
        if packs.gaps[pack] != nil, let file = packs.copied[pack], file.size >= end { return true }
        var status = stat()
        guard stat(destination.pack(pack), &status) == 0, UInt64(status.st_size) >= end else { return false }
        // One that has lost its end since is copied again, even when what is named of it is still there.
        if let file = packs.files[pack], file.size >= end { return UInt64(status.st_size) >= file.size }
        let gaps = try await copying.gapsInCopy(of: pack, upTo: end)
        let damaged = try await database.read { try CheckQueries($0).named(in: pack, touching: gaps) }
        guard damaged.isEmpty else { return false }
        packs.files[pack] = try SafeFiles.hash(of: destination.pack(pack))
        return true
    }

    /// Puts the database and the manifest in their places: at every moment one of the manifests speaks of the database
    /// that is there.
    private func publish(_ manifest: BackupManifest) throws {
        try SafeFiles.write(try manifest.encoded(), to: destination.manifestDraft)
        try SafeFiles.rename(destination.databaseDraft, destination.database)
        try SafeFiles.rename(destination.manifestDraft, destination.manifest)
    }

    /// Removes packs from the backup that its database does not name any more, and what was begun and never completed.
    private func prune(keeping named: Set<PackID>) throws -> Int {
        for pack in try destination.drafts() { unlink(destination.pack(pack) + ".new") }
        let unnamed = try destination.packs().filter { !named.contains($0) }
        for pack in unnamed { unlink(destination.pack(pack)) }
        return unnamed.count
    }
}
