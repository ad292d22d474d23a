public import Storage

/// The archive of a server, with the rules by which it is used; made once for a process.
public struct ArchiveTier: Sendable {
    /// Where cold blocks lie.
    public let store: any ArchiveStore
    /// What goes there.
    public let policy: ArchivePolicy
    /// The bounds.
    public let limits: ArchiveLimits
    /// Rings when somebody asks for something.
    public let bell = ArchiveBell()
    /// What was done, for dashboards.
    public let counts = ArchiveCounter()
    /// What was read and is not noted yet.
    let reads: ReadLog

    /// Puts an archive under a policy.
    public init(
        store: any ArchiveStore, policy: ArchivePolicy = ArchivePolicy(), limits: ArchiveLimits = ArchiveLimits()
    ) {
        self.store = store
        self.policy = policy
        self.limits = limits
        reads = ReadLog(capacity: limits.reads)
    }
}

/// The bounds of the work of an archive.
public struct ArchiveLimits: Hashable, Sendable {
    /// How many sealed bytes are on their way at once: 4 MiB by default.
    public var portion = 4 << 20
    /// About how many blocks are looked for at once: 250,000 by default, which take some 20 MB.
    public var selection = 250_000
    /// How many requests are served in one go: 1000 by default.
    public var requests = 1000
    /// How many blocks that were read may wait to be noted: 100,000 by default. More are not noted.
    public var reads = 100_000

    /// Makes the default bounds.
    public init() {}
}
