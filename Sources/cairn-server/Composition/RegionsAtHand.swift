import Foundation
import Metadata
import Model
import Storage
import StorageLocal
import StorageS3

/// The regions that a command reads, without a server, and those that it can't.
struct RegionsAtHand {
    /// Those that can be read, each opened.
    var regions: [any PackRegion] = []
    /// The archive, opened for reading; nil when the server has none, or it can't be read.
    var archive: (any PackRegion)?
    /// Those that can't, with why and what to do.
    var missing: [(path: String, cause: String)] = []

    /// Finds the regions of a server: those that are named, else those that the database remembers. Of a backup it is the
    /// packs in it.
    /// - Parameters:
    ///   - installation: where the server keeps things, or a backup.
    ///   - named: directories beside the data directory's own, as `run` takes them; of buckets the names of those that are to be
    ///     read, none for all.
    ///   - archive: the directory of the archive; nil for the one that the database remembers.
    ///   - database: what remembers the regions.
    ///   - writing: whether they are to be written to, which locks them.
    /// - Returns: those that can be read, and those that can not.
    /// - Throws: what the database throws; ``Failure`` `usage` for a bucket that there is not. A region that can't be read is
    ///   among the missing.
    static func open(
        _ installation: Installation, named: [String], archive: String? = nil, database: any MetadataDatabase,
        writing: Bool
    ) async throws -> RegionsAtHand {
        var found = RegionsAtHand()
        if let folder = installation.folder, folder.isBackup {
            for directory in [folder.packs] + named { await found.add(ReadOnlyPackRegion(directory: directory)) }
            return found
        }
        let known = try await database.read { try RegionQueries($0).all() }
        // No server has ever run on it: there is nothing to read.
        if known.isEmpty { return found }
        try await found.addArchive(archive, database)
        if installation.buckets.isEmpty {
            await found.addDirectories(installation.folder, named, known, writing: writing)
        } else {
            try await found.addBuckets(installation.buckets, named, known)
        }
        return found
    }

    private mutating func addDirectories(
        _ folder: DataFolder?, _ named: [String], _ known: [RegionRecord], writing: Bool
    ) async {
        var directories = (folder.map { [$0.packs] } ?? []) + named
        if named.isEmpty {
            // A directory that was moved lies where the option says; one that was not named is where it was seen last.
            let packs = folder?.packs
            let own = packs.flatMap { try? LocalPackRegion.mark(of: $0) }
            let path = packs.map { RegionSet.absolute($0) }
            directories += known.filter { $0.id != own && $0.path != path }.map(\.path)
        }
        var seen: Set<RegionID> = []
        for directory in directories {
            if BucketSet.isBucket(directory) {
                missing.append((directory, "\(directory) is a bucket: name the server's configuration, --config"))
                continue
            }
            do {
                guard let id = try LocalPackRegion.mark(of: directory), known.contains(where: { $0.id == id }) else {
                    missing.append((directory, Self.lack(directory)))
                    continue
                }
                guard seen.insert(id).inserted else { continue }
                await add(
                    writing
                        ? LocalPackRegion(directory: directory, identity: id) : ReadOnlyPackRegion(directory: directory)
                )
            } catch {
                missing.append((directory, "\(directory) can't be read: \(error)"))
            }
        }
        nameUnseen(known, seen)
    }

    private mutating func addBuckets(
        _ buckets: [S3RegionConfiguration], _ named: [String], _ known: [RegionRecord]
    ) async throws {
        if let name = named.first(where: { name in !buckets.contains { $0.name == name } }) {
            throw Failure(.usage, "the configuration has no region \(name)")
        }
        var seen: Set<RegionID> = []
        for bucket in buckets {
            guard let record = known.first(where: { $0.path == BucketSet.place(bucket) }) else {
                missing.append((bucket.name, "region \(bucket.name) is new: no server has used it yet"))
                continue
            }
            seen.insert(record.id)
            guard named.isEmpty || named.contains(bucket.name) else { continue }
            do {
                var bucket = bucket
                bucket.identity = record.id
                await add(
                    try bucket.makeRegion(wallClock: SystemWallClock(), generator: SystemRandomNumberGenerator()))
            } catch {
                missing.append((bucket.name, "region \(bucket.name) can't be read: \(error)"))
            }
        }
        nameUnseen(known, seen)
    }

    /// Regions that the database remembers and nobody has named.
    private mutating func nameUnseen(_ known: [RegionRecord], _ seen: Set<RegionID>) {
        for region in known
        where !seen.contains(region.id) && !missing.contains(where: { $0.path == region.path }) {
            missing.append(
                (
                    region.path,
                    "region \(region.id), last seen at \(region.path), was not named: add --region, or give it up "
                        + "('cairn-server region forget \(region.id)')"
                ))
        }
    }

    /// All that can be read: the regions, and the archive.
    var all: [any PackRegion] { regions + (archive.map { [$0] } ?? []) }

    private mutating func addArchive(_ named: String?, _ database: any MetadataDatabase) async throws {
        let (known, seen) = try await database.read {
            (try ArchiveQueries($0).region(), try ArchiveQueries($0).directory())
        }
        guard let known, let directory = named ?? seen else {
            if let named { missing.append((named, "\(named) is no archive of this server: it has none")) }
            return
        }
        guard !BucketSet.isBucket(directory) else {
            missing.append((directory, "the archive is a bucket: commands read directories only"))
            return
        }
        do {
            guard try LocalPackRegion.mark(of: directory) == known else {
                missing.append((directory, "\(directory) is not the archive of this server: is its disk mounted?"))
                return
            }
            let region = ReadOnlyPackRegion(directory: directory)
            try await region.open()
            archive = region
        } catch {
            missing.append((directory, "\(directory) can't be read: \(error)"))
        }
    }

    private mutating func add(_ region: any PackRegion) async {
        do {
            try await region.open()
            regions.append(region)
        } catch {
            missing.append((region.name, "\(error)"))
        }
    }

    private static func lack(_ directory: String) -> String {
        "\(directory) is not a region of this server: is its disk mounted? When it is lost, "
            + "'cairn-server region add \(directory)' makes an empty one, and 'fsck --repair' or 'run' fills it"
    }

    /// Lets them go.
    func close() async {
        for region in all { try? await region.close() }
    }
}
