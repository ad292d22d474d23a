import Metadata
import Model
import StorageS3

/// The bucket of a server's archive: what the database remembers against what the bucket says it is, as ``ArchiveSet`` does with a
/// directory.
struct ArchiveBucket {
    let database: any MetadataDatabase
    let clock: any WallClock

    /// What all keys begin with, so that a bucket may have packs beside it.
    private static let prefix = "archive"
    /// How many bytes are moved there at once.
    static let portion = 32 << 20

    /// The bucket as the archive takes it, marked and remembered.
    /// - Throws: ``Failure`` `configuration` naming the bucket and what is wrong; `unavailable` for a new one that can't be reached.
    func resolve(_ bucket: S3Region, _ storageClass: String) async throws -> S3RegionConfiguration {
        var region = bucket.configuration
        region.prefix = Self.prefix
        region.storageClass = storageClass
        let place = "the bucket \(bucket.bucket) at \(bucket.endpoint)"
        let known = try await database.read { try ArchiveQueries($0).region() }
        let marked: RegionID?
        switch try await BucketSet.mark(of: region) {
        case .success(let id): marked = id
        case .failure(let error):
            guard let known else {
                throw Failure(.unavailable, "\(place) is to be a new archive, and can't be reached: \(error)")
            }
            // It is what it was; until it can be reached nothing comes from it.
            region.identity = known
            return region
        }
        switch (known, marked) {
        case (let known?, nil):
            throw Failure(.configuration, "\(place) is not the archive of this server, \(known): it bears no mark")
        case (let known?, let marked?) where known != marked:
            throw Failure(.configuration, "\(place) is \(marked), not the archive of this server, which is \(known)")
        case (nil, _?): throw Failure(.configuration, "\(place) has the archive of another server")
        default: break
        }
        let id = if let known { known } else { try await BucketSet.newMark(of: region) }
        let (path, now) = (BucketSet.path(of: "archive"), clock.now())
        try await database.write { try ArchiveQueries($0).remember(region: id, directory: path, at: now) }
        region.identity = id
        return region
    }
}
