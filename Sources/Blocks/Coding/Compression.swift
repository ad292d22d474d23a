/// What to try on a block. An encoder may still store it plainly when nothing is gained.
public enum Compression: Hashable, Sendable {
    /// Nothing: the bytes are compressed already.
    case stored
    /// zstd at a level: 1 is fast, 19 is dense; negative levels are faster still.
    case zstd(level: Int32)
}
