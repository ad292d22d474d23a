/// The bounds and the policy of a collection.
public struct CollectionLimits: Hashable, Sendable {
    /// For how long a page or a block is condemned before it is removed: 24 hours and the life of an upload by default.
    /// Nothing is lost with less, but what an upload is about to name may have to be sent again.
    public var safetyWindow: Duration
    /// For how long a pack waits that nothing refers to before it is removed: an hour by default. Longer than what has
    /// looked up a place takes to read there, and than what has appended takes to note the place.
    public var packWindow = Duration.seconds(3600)
    /// For how long it is known that a pack was removed: 30 days by default. Nobody notes a place in it later.
    public var memory = Duration.seconds(30 * 86_400)
    /// By how much the clocks of those who thin versions may be behind: 10 minutes by default.
    public var clockSlack = Duration.seconds(600)
    /// How many rows one transaction reads or changes at most.
    public var rows = 2000
    /// How many pages of recipes one transaction reads at most.
    public var pages = 256
    /// How many live pages and blocks are held in memory at once. When there are more, the account is marked in parts.
    public var live = 2_000_000
    /// How many pages are remembered as visited.
    public var visited = 1_000_000
    /// Packs are compacted when they hold more than this many times the bytes that are in use.
    public var mostStored = 1.15
    /// How far compaction goes then.
    public var targetStored = 1.08
    /// How many bytes compaction holds in memory at once.
    public var copyBytes = 4 << 20

    /// Makes the default bounds for uploads that live for a while.
    public init(uploadLifetime: Duration = FilesLimits().uploadLifetime) {
        safetyWindow = .seconds(86_400) + uploadLifetime
    }
}
