/// What becomes of a version, and why.
public enum Verdict: Hashable, Sendable {
    /// It stays.
    case keep(KeepReason)
    /// It goes.
    case go(GoReason)

    /// Whether it stays.
    public var isKept: Bool {
        if case .keep = self { true } else { false }
    }
}

/// Why a version stays.
public enum KeepReason: Hashable, Sendable {
    /// It is what the file is now.
    case current
    /// A person pinned it.
    case pinned
    /// It is the first that the file had.
    case first
    /// The present version has the same bytes, so it costs nothing.
    case presentAgain
    /// It was the present one less than this ago.
    case young(Span)
    /// It is the last of a file that was deleted less than this ago; nil when such are kept for ever.
    case lastOfDeleted(Span?)
    /// A step of the ladder wants it.
    case ladder(LadderStep)
}

/// Why a version goes.
public enum GoReason: Hashable, Sendable {
    /// The same device saved again so many seconds later.
    case replaced(after: Int64)
    /// A step of the ladder keeps only the newest of each piece of time, and a newer one is there.
    case thinned(LadderStep)
    /// It is older than the last step of the ladder.
    case expired(Span)
    /// There are more versions than may be, and this is worth least.
    case overLimit(Int)
    /// The account is over its quota, and this is worth least.
    case overQuota
}

extension Verdict: CustomStringConvertible {
    /// For people: `kept: hourly for 7 days`.
    public var description: String {
        switch self {
        case .keep(let reason): "kept: \(reason)"
        case .go(let reason): "goes: \(reason)"
        }
    }
}

extension KeepReason: CustomStringConvertible {
    /// For people.
    public var description: String {
        switch self {
        case .current: "it is the present version"
        case .pinned: "it is pinned"
        case .first: "it is the first version"
        case .presentAgain: "the present version has the same bytes"
        case .young(let span): "it was the present version less than \(span) ago"
        case .lastOfDeleted(let span?): "the file was deleted less than \(span) ago"
        case .lastOfDeleted(nil): "it is the last version of a deleted file"
        case .ladder(let step): step.description
        }
    }
}

extension GoReason: CustomStringConvertible {
    /// For people.
    public var description: String {
        switch self {
        case .replaced(let seconds): "a newer save \(Span(seconds: seconds)) later replaces it"
        case .thinned(let step): "\(step), and a newer one of that \(step.keep.piece ?? "time") is there"
        case .expired(let span): "it is older than \(span)"
        case .overLimit(let limit): "there are more than \(limit) versions, and this one is worth least"
        case .overQuota: "the account is over its quota, and this version is worth least"
        }
    }
}
