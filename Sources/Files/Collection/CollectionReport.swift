/// What a collection did, or would do.
public struct CollectionReport: Hashable, Sendable, Codable {
    /// Accounts that were looked through.
    public var accounts = 0
    /// Why accounts were passed over: what they have could not be told from what they do not need.
    public var failures: [String] = []
    /// Pages and blocks that nothing names and that were condemned.
    public var condemned = 0
    /// Pages and blocks that were condemned and are named again.
    public var rescued = 0
    /// Pages and blocks that are condemned and have to wait.
    public var waiting = 0
    /// Pages that were removed.
    public var sweptPages = 0
    /// Blocks that were removed.
    public var sweptBlocks = 0
    /// The sealed bytes of the blocks that were removed.
    public var sweptBytes: UInt64 = 0
    /// Packs whose blocks in use were copied.
    public var packsCompacted = 0
    /// Sealed bytes that were copied.
    public var bytesCopied: UInt64 = 0
    /// Records that no region can give: they stay where they are, and their packs with them.
    public var damagedRecords = 0
    /// Packs that nothing refers to any more and that wait to be removed.
    public var packsDoomed = 0
    /// Packs that were removed.
    public var packsRemoved = 0
    /// The bytes of the packs that were removed.
    public var bytesFreed: UInt64 = 0
    /// The bytes of all packs, afterwards.
    public var storedBytes: UInt64 = 0
    /// The sealed bytes of all blocks in them, afterwards.
    public var liveBytes: UInt64 = 0

    /// Makes an empty report.
    public init() {}

    /// Whether everything was as it is to be: another collection without a window would do nothing either.
    public var isIdle: Bool {
        condemned + rescued + waiting + sweptPages + sweptBlocks + packsCompacted + packsDoomed + packsRemoved == 0
    }

    /// Adds what a further collection did; what is measured is taken from it.
    public mutating func add(_ other: CollectionReport) {
        condemned += other.condemned
        rescued += other.rescued
        sweptPages += other.sweptPages
        sweptBlocks += other.sweptBlocks
        sweptBytes += other.sweptBytes
        packsCompacted += other.packsCompacted
        bytesCopied += other.bytesCopied
        packsRemoved += other.packsRemoved
        bytesFreed += other.bytesFreed
        accounts = other.accounts
        failures = other.failures
        waiting = other.waiting
        damagedRecords = other.damagedRecords
        packsDoomed = other.packsDoomed
        storedBytes = other.storedBytes
        liveBytes = other.liveBytes
    }
}
