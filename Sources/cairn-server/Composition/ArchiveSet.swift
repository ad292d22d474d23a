import Blocks
import Files
import HTTPAPI
import Logging
import Metadata
import Model
import Storage
import StorageLocal
import StorageS3

/// What was chosen of the archive.
struct ArchiveChoice: Sendable {
    enum Place: Sendable {
        case directory(String, pace: ThawingArchive.Pace)
        /// In a bucket, below a prefix of its own, under a storage class.
        case bucket(S3Region, storageClass: String, S3ArchiveConfiguration)
    }

    let place: Place
    let policy: ArchivePolicy
    /// How long after a round the next one begins.
    let round: Duration

    /// The directory, if it is one.
    var directory: String? { if case .directory(let path, _) = place { path } else { nil } }
}

/// Opens the archive of a server. Its directory, or its bucket, bears a mark like a region's, which the database remembers: an empty
/// directory at its place is most likely the mount point of a disk that is not there, and is never filled by itself.
enum ArchiveSet {
    /// - Throws: ``Failure`` `configuration` naming the directory and what to do, and what the layers throw.
    static func open(
        _ choice: ArchiveChoice, database: any MetadataDatabase, packSize: Int, clock: any WallClock
    ) async throws -> ArchiveTier {
        switch choice.place {
        case .directory(let directory, let pace):
            let region = try await resolve(directory, database, clock)
            let store = try await LocalArchive.open(
                directory: directory, identity: region, configuration: PackedStoreConfiguration(packSize: packSize),
                pace: pace, clock: clock, generator: SecureRandom())
            return ArchiveTier(store: store, policy: choice.policy)
        case .bucket(let bucket, let storageClass, var configuration):
            configuration.packSize = packSize
            let region = try await ArchiveBucket(database: database, clock: clock).resolve(bucket, storageClass)
            let store = try await S3Archive.open(
                region: region, configuration: configuration, clock: clock, generator: SecureRandom())
            var limits = ArchiveLimits()
            // What goes there at once is an object, and small ones cost as much as large ones.
            limits.portion = max(limits.portion, min(packSize, ArchiveBucket.portion))
            return ArchiveTier(store: store, policy: choice.policy, limits: limits)
        }
    }

    private static func resolve(
        _ directory: String, _ database: any MetadataDatabase, _ clock: any WallClock
    ) async throws -> RegionID {
        let (known, regions) = try await database.read {
            (try ArchiveQueries($0).region(), try RegionQueries($0).all())
        }
        let marked = try LocalPackRegion.mark(of: directory)
        if let marked, regions.contains(where: { $0.id == marked }) {
            throw Failure(.configuration, "\(directory) is a region of this server: it can't be its archive too")
        }
        if let known {
            guard let marked else {
                throw Failure(
                    .configuration,
                    "\(directory) is not the archive of this server, \(known): is its disk mounted?")
            }
            guard marked == known else {
                throw Failure(
                    .configuration, "\(directory) is \(marked), not the archive of this server, which is \(known)")
            }
            try await remember(known, directory, database, clock)
            return known
        }
        if marked != nil {
            throw Failure(.configuration, "\(directory) is the archive or a region of another server")
        }
        let id = RegionID.random()
        try LocalPackRegion.mark(directory, as: id)
        try await remember(id, directory, database, clock)
        return id
    }

    private static func remember(
        _ id: RegionID, _ directory: String, _ database: any MetadataDatabase, _ clock: any WallClock
    ) async throws {
        let (path, now) = (RegionSet.absolute(directory), clock.now())
        try await database.write { try ArchiveQueries($0).remember(region: id, directory: path, at: now) }
    }

    /// The counts as `/metrics` shows them.
    static func samples(_ counts: ArchiveCounts) -> [Sample] {
        let requests = [("waiting", counts.waiting), ("ready", counts.ready), ("failed", counts.failed)]
        return [
            Sample("cairn_archive_blocks", .gauge, Double(counts.blocks)),
            Sample("cairn_archive_bytes", .gauge, Double(counts.bytes)),
            Sample("cairn_archive_moved_blocks_total", .counter, Double(counts.moved)),
            Sample("cairn_archive_moved_bytes_total", .counter, Double(counts.movedBytes)),
            Sample("cairn_archive_brought_back_blocks_total", .counter, Double(counts.broughtBack)),
            Sample("cairn_archive_damaged_blocks_total", .counter, Double(counts.damaged)),
        ]
            + requests.map {
                Sample("cairn_archive_thaw_requests", .gauge, labels: ["state": $0.0], Double($0.1))
            }
    }
}
