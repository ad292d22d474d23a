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
        var known = try BackupManifest(reading: destination.manifest)?.files() ?? [:]
        var copied: [PackID: HashedFile] = [:]
        // Most of it first, so that the copy of the database is young when the rest is copied.
        _ = try await copyPacks(named: database, &known, &copied)
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
            missing = try await copyPacks(named: snapshot, &known, &copied)
            try await snapshot.close()
            // A pack that went meanwhile was given up: a newer database does not name it.
            if missing.isEmpty { break }
        }
        let keyRing = withKeyRing ? try SafeFiles.copy(folder.keyRing, to: destination.keyRing) : nil
        if keyRing == nil { unlink(destination.keyRing) }
        let named = try await files(known)
        let manifest = BackupManifest(
            made: moment, database: try SafeFiles.hash(of: destination.databaseDraft), packs: named, lost: missing,
            keyring: keyRing)
        try publish(manifest)
        var outcome = Outcome(manifest: manifest)
        outcome.copiedPacks = copied.count
        outcome.copiedBytes = copied.values.reduce(0) { $0 + $1.size }
        outcome.prunedPacks = try prune(keeping: Set(named.keys))
        return outcome
    }

    /// The files of the packs that the copy of the database names.
    private func files(_ known: [PackID: HashedFile]) async throws -> [PackID: HashedFile] {
        let snapshot = try SQLiteMetadataReader(path: destination.databaseDraft)
        var named: [PackID: HashedFile] = [:]
        var pack = try await snapshot.read { try CheckQueries($0).namedPack(after: nil) }
        while let current = pack {
            named[current] = known[current]
            pack = try await snapshot.read { try CheckQueries($0).namedPack(after: current) }
        }
        try await snapshot.close()
        return named
    }

    /// Copies what is not there yet of the packs that a database names.
    /// - Returns: the packs that no region has.
    private func copyPacks(
        named database: SQLiteMetadataReader, _ known: inout [PackID: HashedFile],
        _ copied: inout [PackID: HashedFile]
    ) async throws -> [PackID] {
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
            if try isThere(pack, end, &known) { continue }
            try await beforePack(pack)
            if let file = try await copy(pack, end) {
                known[pack] = file
                copied[pack] = file
            } else {
                // What an earlier manifest says of it is no longer so.
                known[pack] = nil
                missing.append(pack)
            }
        }
    }

    /// Whether the backup has all of a pack that is named; one that no manifest speaks of is hashed anew.
    private func isThere(_ pack: PackID, _ end: UInt64, _ known: inout [PackID: HashedFile]) throws -> Bool {
        var status = stat()
        guard stat(destination.pack(pack), &status) == 0, UInt64(status.st_size) >= end else { return false }
        // One that has lost its end since is copied again, even when what is named of it is still there.
        if let file = known[pack], file.size >= end { return UInt64(status.st_size) >= file.size }
        known[pack] = try SafeFiles.hash(of: destination.pack(pack))
        return true
    }

    /// Copies a pack from the first region that has what is named of it; one that still grows, up to there.
    private func copy(_ pack: PackID, _ end: UInt64) async throws -> HashedFile? {
        var failure: (any Error)?
        for region in regions {
            do {
                guard let summary = try await region.find(pack), summary.size >= end else { continue }
                try SafeFiles.makeFolder(destination.folder(of: pack))
                let draft = try FileDraft(destination.pack(pack))
                let size = summary.isSealed ? summary.size : end
                var position: UInt64 = 0
                while position < size {
                    let range = position..<min(size, position + UInt64(SafeFiles.step))
                    let bytes = try await region.read(pack, [range]).first ?? []
                    guard bytes.count == range.count else {
                        throw StorageError(.notFound, "pack \(pack) ends at \(position + UInt64(bytes.count))")
                    }
                    try draft.append(bytes[...])
                    position = range.upperBound
                }
                return try draft.finish()
            } catch let error as StorageError { failure = error }
        }
        if let failure = failure as? StorageError, failure.code != .notFound { throw failure }
        return nil
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
