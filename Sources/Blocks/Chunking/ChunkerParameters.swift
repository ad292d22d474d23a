/// How long the blocks of a chunker are. Devices of an account must agree on them, or nothing is deduplicated between
/// them.
public struct ChunkerParameters: Hashable, Sendable {
    /// No block but the last of a content is shorter, in bytes; even.
    public let minimum: Int
    /// Where the stricter mask gives way to the laxer one, in bytes: most blocks are a little longer. A power of two.
    public let normal: Int
    /// No block is longer, in bytes; even.
    public let maximum: Int

    /// Makes parameters of lengths in bytes.
    ///
    /// - Precondition: `2 <= minimum < normal < maximum <= BlockLimits.maximumBlockLength`, `minimum` and `maximum`
    ///   even, `normal` a power of two of at least 64.
    public init(minimum: Int, normal: Int, maximum: Int) {
        precondition(minimum >= 2 && minimum < normal && normal < maximum, "chunker lengths must ascend")
        precondition(maximum <= BlockLimits.maximumBlockLength, "a chunk must fit a block")
        precondition(minimum.isMultiple(of: 2) && maximum.isMultiple(of: 2), "the chunker goes two bytes a step")
        precondition(normal >= 64 && normal.nonzeroBitCount == 1, "the masks need a power of two")
        self.minimum = minimum
        self.normal = normal
        self.maximum = maximum
    }

    /// 32, 128 and 512 KiB: blocks of about 148 KiB on random bytes, 0.3 GB of block records for a terabyte.
    public static let standard = ChunkerParameters(minimum: 32 << 10, normal: 128 << 10, maximum: 512 << 10)
}
