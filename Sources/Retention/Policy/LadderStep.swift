/// One step of a ladder: how densely versions are kept up to an age.
public struct LadderStep: Hashable, Sendable {
    /// How densely.
    public let keep: Granularity
    /// Up to which age, counted from now; nil for all that is older than the step before.
    public let upTo: Span?

    /// Makes a step.
    public init(keep: Granularity, upTo: Span?) {
        self.keep = keep
        self.upTo = upTo
    }
}

extension LadderStep: CustomStringConvertible {
    /// For people: `hourly for 7 days`, `monthly`.
    public var description: String {
        let word = keep == .all ? "everything" : keep.rawValue
        return upTo.map { "\(word) for \($0)" } ?? (keep == .all ? "everything, for ever" : word)
    }
}
