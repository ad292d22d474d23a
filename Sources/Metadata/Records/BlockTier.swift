/// Where a block is kept.
public enum BlockTier: Int64, Hashable, Sendable {
    /// Where it can be read at once.
    case hot = 0
    /// Where it has to be thawed first.
    case archive = 1
}
