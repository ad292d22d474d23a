public import Model
public import Storage

/// Opens a store whose regions are directories of this machine.
public enum LocalBlockStore {
    /// Opens the store, recovering what the last process left unsealed.
    /// - Parameters:
    ///   - directories: One directory for each region; made when missing.
    ///   - identities: Which region a directory has to be, by its mark; those without an entry may be any.
    ///   - configuration: The limits and the policy.
    ///   - generator: Where the ids of packs come from.
    /// - Returns: The store, ready for use.
    /// - Throws: ``StorageError``: `inUse` when another process has a directory, `unavailable` when too few can be had.
    public static func open(
        directories: [String], identities: [String: RegionID] = [:],
        configuration: PackedStoreConfiguration = PackedStoreConfiguration(),
        generator: some RandomNumberGenerator & Sendable = SystemRandomNumberGenerator()
    ) async throws -> PackedBlockStore {
        try await PackedBlockStore.open(
            regions: directories.map { LocalPackRegion(directory: $0, identity: identities[$0]) },
            configuration: configuration, generator: generator)
    }
}
