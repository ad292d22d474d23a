/// A value that goes into a statement or comes out of a row.
public enum SQLValue: Hashable, Sendable {
    /// Nothing.
    case null
    /// A whole number of 64 bits.
    case integer(Int64)
    /// UTF-8 text.
    case text(String)
    /// Bytes; they order as memory does, shorter first.
    case blob([UInt8])
}
