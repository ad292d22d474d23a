/// The limits and the policy of a ``PackedBlockStore``.
public struct PackedStoreConfiguration: Sendable {
    /// From this many bytes on a pack is complete: 64 MiB by default, at most 2 GiB.
    public var packSize: Int
    /// How many bytes one write and one sync may carry: 8 MiB by default.
    public var groupSize: Int
    /// How many bytes may wait to be written; beyond it appends are refused as `unavailable`. 64 MiB by default.
    public var queueSize: Int
    /// In how many regions a record must be durable before it is acknowledged; nil means in all of them.
    ///
    /// With fewer, an append succeeds although a region is down, and what that region lacks is remembered.
    public var minimumCopies: Int?

    /// Makes a configuration; see the properties.
    public init(
        packSize: Int = 64 << 20, groupSize: Int = 8 << 20, queueSize: Int = 64 << 20, minimumCopies: Int? = nil
    ) {
        self.packSize = packSize
        self.groupSize = groupSize
        self.queueSize = queueSize
        self.minimumCopies = minimumCopies
    }
}
