import Storage

/// How an ``S3Archive`` is used.
public struct S3ArchiveConfiguration: Hashable, Sendable {
    /// The most bytes of a pack, and so of an object: 64 MiB by default.
    public var packSize: Int
    /// How soon what is asked for is wanted, which is a matter of the price.
    public var tier: S3Client.RestoreTier
    /// For how many days what was thawed can be read: 3 by default.
    public var days: Int
    /// How long a thaw takes, by estimate.
    public var delay: Duration

    /// Makes a configuration.
    /// - Parameters:
    ///   - packSize: The most bytes of a pack.
    ///   - tier: How soon what is asked for is wanted.
    ///   - days: For how many days what was thawed can be read.
    ///   - delay: How long a thaw takes; nil for what is usual for the tier.
    public init(
        packSize: Int = 64 << 20, tier: S3Client.RestoreTier = .standard, days: Int = 3, delay: Duration? = nil
    ) {
        self.packSize = packSize
        self.tier = tier
        self.days = days
        self.delay = delay ?? Self.usualDelay(tier)
    }

    /// For how long what was thawed can be read.
    var period: Duration { .seconds(86_400) * days }

    func validate() throws(S3ConfigurationError) {
        guard (1...SealedPack.maximumSize).contains(packSize) else {
            throw S3ConfigurationError("\(packSize) bytes is no size of a pack")
        }
        guard (1...365).contains(days), delay >= .zero else {
            throw S3ConfigurationError("an archive thaws for 1 to 365 days, and not in the past")
        }
    }

    /// What the documents of the storage class Glacier say.
    private static func usualDelay(_ tier: S3Client.RestoreTier) -> Duration {
        switch tier {
        case .expedited: .seconds(5 * 60)
        case .standard: .seconds(5 * 3600)
        case .bulk: .seconds(12 * 3600)
        }
    }
}
