public import Model
import Storage

extension S3BlockStore {
    /// Opens a store: looks whether the buckets can be reached, and nothing else. What there is is neither listed nor
    /// read, however much it is.
    /// - Parameters:
    ///   - regions: The regions in the order in which they are read as long as it is not known which is the fastest.
    ///   - configuration: The limits and the policy.
    ///   - wallClock: What requests are dated by.
    ///   - generator: Where the ids of packs and the jitter of retries come from.
    /// - Returns: The store, ready for use. It may be that too few regions can be reached for an append.
    /// - Throws: ``S3ConfigurationError``; ``StorageError`` `unavailable` when no region can be reached, or one bears the
    ///   mark of another.
    public static func open(
        regions: [S3RegionConfiguration], configuration: S3StoreConfiguration = S3StoreConfiguration(),
        wallClock: any WallClock = SystemWallClock(),
        generator: some RandomNumberGenerator & Sendable = SystemRandomNumberGenerator()
    ) async throws -> S3BlockStore {
        try validate(regions)
        try validate(configuration)
        let made = try regions.map { try $0.makeRegion(wallClock: wallClock, generator: generator) }
        let store = S3BlockStore(
            regions: made, configuration: configuration, wallClock: wallClock, generator: LockedGenerator(generator))
        let failures = await store.onRegions(Array(made.indices)) { try await $0.open() }
        if failures.count == made.count {
            try? await store.close()
            throw store.failure(of: failures)
        }
        return store
    }

    private static func validate(_ regions: [S3RegionConfiguration]) throws(S3ConfigurationError) {
        if regions.isEmpty { throw S3ConfigurationError("a store needs a region") }
        for (index, region) in regions.enumerated() {
            for other in regions[..<index] {
                if other.name == region.name {
                    throw S3ConfigurationError("two regions have the name \(region.name)")
                }
                if (other.address, other.bucket, other.prefix) == (region.address, region.bucket, region.prefix) {
                    throw S3ConfigurationError(
                        "regions \(other.name) and \(region.name) are the same place: one copy would count as two")
                }
            }
        }
    }

    private static func validate(_ configuration: S3StoreConfiguration) throws(S3ConfigurationError) {
        guard (1...SealedPack.maximumSize).contains(configuration.packSize) else {
            throw S3ConfigurationError("\(configuration.packSize) bytes is no size of a pack")
        }
        guard configuration.queueSize > 0, configuration.packsInFlight > 0, configuration.repairsInFlight > 0,
            configuration.minimumCopies.map({ $0 >= 1 }) ?? true
        else { throw S3ConfigurationError("a store that may do nothing: every limit is at least 1") }
    }
}
