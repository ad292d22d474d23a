/// Which versions of a file are kept. docs/retention.md explains the fields to those who set them.
public struct RetentionPolicy: Hashable, Sendable {
    /// How densely versions are kept by their age. The steps go up in age and never become finer; all but the last have an end.
    /// What is older than the end of the last step goes.
    public private(set) var ladder: [LadderStep]
    /// A version that the same device replaced within this time goes; nil when none goes for that.
    public private(set) var collapse: Span?
    /// The most versions of one file, the present one among them; nil for no limit.
    public private(set) var maxVersions: Int?
    /// What was the present version less than this ago never goes.
    public private(set) var minAge: Span
    /// For how long after a file was deleted its first and its last version are kept whatever the ladder says; nil for ever.
    public private(set) var keepDeleted: Span?
    /// Whether versions may go because the account is over its quota.
    public private(set) var yieldsToQuota: Bool

    /// Makes a policy of its parts.
    /// - Throws: ``PolicyError`` when they contradict one another.
    public init(
        ladder: [LadderStep], collapse: Span?, maxVersions: Int?, minAge: Span, keepDeleted: Span?,
        yieldsToQuota: Bool = true
    ) throws(PolicyError) {
        self.init(unchecked: ladder, collapse, maxVersions, minAge, keepDeleted, yieldsToQuota)
        try check()
    }

    private init(
        unchecked ladder: [LadderStep], _ collapse: Span?, _ maxVersions: Int?, _ minAge: Span, _ keepDeleted: Span?,
        _ yieldsToQuota: Bool
    ) {
        self.ladder = ladder
        self.collapse = collapse
        self.maxVersions = maxVersions
        self.minAge = minAge
        self.keepDeleted = keepDeleted
        self.yieldsToQuota = yieldsToQuota
    }

    /// What is done where nothing else was set: everything for a day, hourly for 7 days, daily for 30, weekly for a year, then
    /// monthly; saves within two minutes collapse; at most 500 versions.
    public static let standard = RetentionPolicy(
        unchecked: [
            LadderStep(keep: .all, upTo: Span(seconds: 86_400)),
            LadderStep(keep: .hourly, upTo: Span(seconds: 7 * 86_400)),
            LadderStep(keep: .daily, upTo: Span(seconds: 30 * 86_400)),
            LadderStep(keep: .weekly, upTo: Span(seconds: 365 * 86_400)),
            LadderStep(keep: .monthly, upTo: nil),
        ], Span(seconds: 120), 500, Span(seconds: 3600), Span(seconds: 365 * 86_400), true)

    /// Nothing ever goes, not even for a quota.
    public static let keepAll = RetentionPolicy(
        unchecked: [LadderStep(keep: .all, upTo: nil)], nil, nil, Span(seconds: 3600), nil, false)

    /// The policies that have names.
    public static let named: [(name: String, policy: RetentionPolicy)] = [
        ("default", .standard), ("keep-all", .keepAll),
    ]

    /// The longest time over which saves may collapse: pieces of time that bursts end at have to fit into an hour.
    static let longestCollapse = Span(seconds: 3600)

    private func check() throws(PolicyError) {
        guard let first = ladder.first else { throw PolicyError("a ladder has at least one step") }
        if first.upTo?.seconds == 0 { throw PolicyError("the first step of the ladder is for no time at all") }
        for (step, next) in zip(ladder, ladder.dropFirst()) {
            guard let end = step.upTo else {
                throw PolicyError("the step '\(step)' has no end, so none may follow it")
            }
            if let later = next.upTo, later <= end {
                throw PolicyError("the step '\(next)' has to go further than '\(step)': both count from now")
            }
            guard next.keep >= step.keep else {
                throw PolicyError("the step '\(next)' keeps more than '\(step)', which comes before it")
            }
        }
        if let maxVersions, maxVersions < 1 { throw PolicyError("max_versions is at least 1") }
        if let collapse, collapse > Self.longestCollapse {
            throw PolicyError("collapse is at most \(Self.longestCollapse.text)")
        }
    }
}
