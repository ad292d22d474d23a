/// The limits and the policy of an ``S3BlockStore``.
public struct S3StoreConfiguration: Hashable, Sendable {
    /// The most bytes of one pack, and so of one group of appends: 64 MiB by default, at most 2 GiB.
    public var packSize: Int
    /// How many bytes may wait to be stored; beyond it appends are refused as `unavailable`. 128 MiB by default.
    public var queueSize: Int
    /// How many packs are stored at a time; what arrives meanwhile is gathered into the next ones. 4 by default.
    public var packsInFlight: Int
    /// In how many regions a pack must be durable before it is acknowledged; nil means in all of them.
    ///
    /// With fewer, an append succeeds although a region is down, and it is noted durably what that region lacks.
    public var minimumCopies: Int?
    /// How long the other regions may take once there are enough copies; those that take longer are noted as lacking
    /// the pack. 2 seconds by default.
    public var patience: Duration
    /// After how long a read is asked of the next region too; nil means once the first has taken longer than it does
    /// in 19 of 20 cases (200 ms as long as that is not known).
    public var hedgeDelay: Duration?
    /// How many packs are repaired at a time, each in memory. 4 by default.
    public var repairsInFlight: Int
    /// After how long an upload in parts that nobody has completed is given up. A day by default.
    public var uploadAge: Duration

    /// Makes a configuration; see the properties.
    public init(
        packSize: Int = 64 << 20, queueSize: Int = 128 << 20, packsInFlight: Int = 4, minimumCopies: Int? = nil,
        patience: Duration = .seconds(2), hedgeDelay: Duration? = nil, repairsInFlight: Int = 4,
        uploadAge: Duration = .seconds(86_400)
    ) {
        self.packSize = packSize
        self.queueSize = queueSize
        self.packsInFlight = packsInFlight
        self.minimumCopies = minimumCopies
        self.patience = patience
        self.hedgeDelay = hedgeDelay
        self.repairsInFlight = repairsInFlight
        self.uploadAge = uploadAge
    }
}
