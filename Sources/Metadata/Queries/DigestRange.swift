public import Model

/// The hashes from one up to and with another.
public struct DigestRange: Hashable, Sendable {
    /// The first.
    public let lower: Digest
    /// The last.
    public let upper: Digest

    /// All hashes.
    public static let all = DigestRange(first: 0, last: .max)

    private init(first: UInt64, last: UInt64) {
        lower = Digest(words: (first, 0, 0, 0))
        upper = Digest(words: (last, .max, .max, .max))
    }

    /// Whether a hash is one of them.
    public func contains(_ digest: Digest) -> Bool {
        digest.words.0 >= lower.words.0 && digest.words.0 <= upper.words.0
    }

    /// The lower and the upper half: hashes are spread evenly, so each has about half of what there is. A range of one
    /// leading word is not divided further.
    public var halves: [DigestRange] {
        let (first, last) = (lower.words.0, upper.words.0)
        guard first < last else { return [self] }
        let middle = first + (last - first) / 2
        return [DigestRange(first: first, last: middle), DigestRange(first: middle + 1, last: last)]
    }
}
