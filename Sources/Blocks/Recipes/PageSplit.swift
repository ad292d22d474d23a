import Model

/// Where a page of a recipe ends: after an entry whose digest says so, so that an insertion moves no end but those
/// beside it.
enum PageSplit {
    /// A page ends no sooner, so that every level is at most a quarter as long as the one below.
    static let minimum = 4
    /// A page ends at the latest here.
    static let maximum = 256
    /// One digest in 64 ends a page: its last six bits are zero.
    private static let mask: UInt64 = 63

    /// Whether a page of `count` entries ends after the last of them, whose digest is given.
    static func ends(after digest: Digest, count: Int) -> Bool {
        count == maximum || (count >= minimum && digest.words.3 & mask == 0)
    }
}
