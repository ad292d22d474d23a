public import Model
public import Storage

/// Opens an archive in a directory of this machine: for a slow disk, and to see what an archive is like.
public enum LocalArchive {
    /// Opens the archive, recovering what the last process left unsealed.
    /// - Parameters:
    ///   - directory: made when missing.
    ///   - identity: the region that it has to be, by its mark; nil when any directory will do.
    ///   - configuration: the limits of the packs.
    ///   - pace: how slow the archive makes itself.
    ///   - clock: says what time it is.
    ///   - generator: where the ids of packs come from.
    /// - Returns: The archive, ready for use.
    /// - Throws: ``StorageError``: `inUse` when another process has the directory, `unavailable` when it can't be had.
    public static func open(
        directory: String, identity: RegionID? = nil,
        configuration: PackedStoreConfiguration = PackedStoreConfiguration(),
        pace: ThawingArchive.Pace = ThawingArchive.Pace(), clock: any WallClock,
        generator: some RandomNumberGenerator & Sendable
    ) async throws -> ThawingArchive {
        try await ThawingArchive.open(
            regions: [LocalPackRegion(directory: directory, identity: identity)], configuration: configuration,
            pace: pace, clock: clock, generator: generator)
    }
}
