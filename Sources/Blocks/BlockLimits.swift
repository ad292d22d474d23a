/// How long the parts of a content may be. Whoever reads bytes of others refuses what is longer before it allocates.
public enum BlockLimits {
    /// The most bytes of plaintext in a block. The chunker's own maximum is lower: this leaves room for other
    /// parameters.
    public static let maximumBlockLength = 1 << 20
    /// The most bytes of an encoded page.
    public static let maximumPageLength = 64 << 10
    /// The highest tree of pages: pages have four entries or more but for the last of a level, so no content of
    /// 2^64 bytes needs more.
    public static let maximumLevel: UInt8 = 32
}
