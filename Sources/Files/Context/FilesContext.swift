public import Blocks
public import Logging
public import Messaging
public import Metadata
public import Model
public import Storage

/// What the use cases work on: made once for a process, passed to each.
public struct FilesContext: Sendable {
    /// Accounts, trees, history.
    public let database: any MetadataDatabase
    /// Sealed blocks.
    public let store: any BlockStore
    /// The accounts' keys.
    public let keys: AccountKeys
    /// The tokens that devices poll with.
    public let pollTokens: PollTokens
    /// Upload tickets that this server signs and takes.
    public let uploadTickets: UploadTickets
    /// Tells the other roles of changes.
    public let bus: any ChangeBus
    /// Says what time it is.
    public let clock: any WallClock
    /// Where ids, salts and tokens come from.
    public let randomness: Randomness
    /// Runs what costs processor time.
    public let workers: WorkerPool
    /// The memory of requests that carry blocks and pages.
    public let memory: MemoryBudget
    /// The memory of files that are read or written as a whole: apart, since these may take long.
    public let transfers: MemoryBudget
    /// Which accounts are full.
    public let quotas: QuotaLedger
    /// Where blocks lie that are hardly ever read; nil when there is no such place.
    public let archive: ArchiveTier?
    /// The bounds.
    public let limits: FilesLimits
    /// Keeps answers that never change.
    public let cache: any MetadataCache
    /// Counts log-in attempts for all processes together; nil where each counts by itself.
    public let loginLimiter: (any RateLimiter)?
    /// Where errors that nobody waits for are told.
    public let log: Logger
    /// What is counted.
    let metrics: FilesMetrics

    /// Makes a context of its parts.
    public init(
        database: any MetadataDatabase, store: any BlockStore, keyRing: any KeyRingSource, bus: any ChangeBus,
        clock: any WallClock, randomness: Randomness, workers: WorkerPool, limits: FilesLimits = FilesLimits(),
        cache: any MetadataCache = NoMetadataCache(), loginLimiter: (any RateLimiter)? = nil, log: Logger,
        archive: ArchiveTier? = nil
    ) {
        self.database = database
        self.store = store
        keys = AccountKeys(source: keyRing, database: database)
        pollTokens = PollTokens(source: keyRing, clock: clock)
        uploadTickets = UploadTickets(source: keyRing, clock: clock, bus: bus)
        self.bus = bus
        self.clock = clock
        self.randomness = randomness
        self.workers = workers
        memory = MemoryBudget(limits.memory)
        transfers = MemoryBudget(limits.transferMemory)
        quotas = QuotaLedger(database: database, clock: clock)
        self.archive = archive
        self.limits = limits
        self.cache = cache
        self.loginLimiter = loginLimiter
        self.log = log
        metrics = FilesMetrics()
    }
}

/// The bounds of the use cases.
public struct FilesLimits: Hashable, Sendable {
    /// For how long a pending upload is kept: 24 hours by default.
    public var uploadLifetime = Duration.seconds(86_400)
    /// The bytes of requests that carry blocks and pages, over all clients: 64 MiB by default. More wait.
    public var memory = 64 << 20
    /// The bytes of files that are read or written as a whole, over all clients: 32 MiB by default. More wait.
    public var transferMemory = 32 << 20
    /// How many bytes of a file are held at once while it is read or written as a whole: 1 MiB by default, and at most
    /// one window more is read ahead.
    public var window = 1 << 20
    /// How many bytes of sealed blocks are opened at once for an answer: half a MiB by default.
    public var portion = 512 << 10
    /// The most changes in one commit of a recursive removal.
    public var removalBatch = 10_000
    /// The most bytes of sealed blocks in one answer: 32 MiB by default.
    public var fetchedBytes = 32 << 20
    /// The most bytes of pages in one answer; the asker asks again for the rest. 8 MiB by default.
    public var fetchedPageBytes = 8 << 20
    /// The costs of hashing a password.
    public var password = ScryptPassword.standard

    /// Makes the default bounds.
    public init() {}
}
