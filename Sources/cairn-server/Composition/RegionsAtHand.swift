import Foundation
import Metadata
import Model
import Storage
import StorageLocal

/// The regions that a command reads, without a server, and those that it can't.
struct RegionsAtHand {
    /// Those that can be read, each opened.
    var regions: [any PackRegion] = []
    /// The archive, opened for reading; nil when the server has none, or it can't be read.
    var archive: (any PackRegion)?
    /// Those that can't, with why and what to do.
    var missing: [(path: String, cause: String)] = []

    /// Finds the regions of a data directory: those that are named, else those that the database remembers. Of a backup
    /// it is the packs in it.
    /// - Parameters:
    ///   - folder: the data directory, or a backup.
    ///   - named: directories beside the data directory's own, as `run` takes them.
    ///   - archive: the directory of the archive; nil for the one that the database remembers.
    ///   - database: what remembers the regions.
    ///   - writing: whether they are to be written to, which locks them.
    /// - Returns: those that can be read, and those that can not.
    /// - Throws: what the database throws. A region that can't be read is among the missing.
    static func open(
        _ folder: DataFolder, named: [String], archive: String? = nil, database: any MetadataDatabase, writing: Bool
    ) async throws -> RegionsAtHand {
        var found = RegionsAtHand()
        guard !folder.isBackup else {
            for directory in [folder.packs] + named { await found.add(ReadOnlyPackRegion(directory: directory)) }
            return found
        }
        let known = try await database.read { try RegionQueries($0).all() }
        // No server has ever run on it: there is nothing to read.
        if known.isEmpty { return found }
        try await found.addArchive(archive, database)
        var directories = [folder.packs] + named
        if named.isEmpty {
            // A directory that was moved lies where the option says; one that was not named is where it was seen last.
            let own = try? LocalPackRegion.mark(of: folder.packs)
            directories += known.filter { $0.id != own && $0.path != RegionSet.absolute(folder.packs) }.map(\.path)
        }
        var seen: Set<RegionID> = []
        for directory in directories {
            if BucketSet.isBucket(directory) {
                found.missing.append((directory, "\(directory) is a bucket: commands read directories only"))
                continue
            }
            do {
                guard let id = try LocalPackRegion.mark(of: directory), known.contains(where: { $0.id == id }) else {
                    found.missing.append((directory, lack(directory)))
                    continue
                }
                guard seen.insert(id).inserted else { continue }
                await found.add(
                    writing
                        ? LocalPackRegion(directory: directory, identity: id) : ReadOnlyPackRegion(directory: directory)
                )
            } catch {
                found.missing.append((directory, "\(directory) can't be read: \(error)"))
            }
        }
        for region in known
        where !seen.contains(region.id) && !found.missing.contains(where: { $0.path == region.path }) {
            found.missing.append(
                (
                    region.path,
                    "region \(region.id), last seen at \(region.path), was not named: add --region, or give it up "
                        + "('cairn-server region forget \(region.id)')"
                ))
        }
        return found
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
