/// Counts of what a store has done since it was opened, for metrics.
public struct StorageStatistics: Hashable, Sendable {
    /// Records acknowledged.
    public var appendedRecords: UInt64 = 0
    /// Payload bytes acknowledged.
    public var appendedBytes: UInt64 = 0
    /// Group commits: writes with one sync in every region.
    public var groups: UInt64 = 0
    /// Group commits that failed.
    public var failedGroups: UInt64 = 0
    /// Appends refused because too much was waiting.
    public var refusedAppends: UInt64 = 0
    /// Packs begun.
    public var packsCreated: UInt64 = 0
    /// Records read.
    public var readRecords: UInt64 = 0
    /// Payload bytes read.
    public var readBytes: UInt64 = 0
    /// Records that a region answered damaged, or did not have although it should.
    public var damagedRecords: UInt64 = 0
    /// Records rewritten in a region from another one.
    public var repairedRecords: UInt64 = 0
    /// Whole packs copied to a region that lacked them.
    public var repairedPacks: UInt64 = 0
    /// Failed calls, by the name of the region.
    public var regionFailures: [String: UInt64] = [:]
    /// What the regions lack at the moment: packs to be copied or removed.
    public var pendingRepairs: Int = 0
    /// Payload bytes waiting to be written at the moment.
    public var waitingBytes: Int = 0

    /// Makes counts of zero.
    public init() {}
}
