/// The classes of bytes in the grammar of RFC 9110 and RFC 9112.
enum CharacterClass {
    /// Letters, digits and ``!#$%&'*+-.^_`|~``: a bit for each character below 64, and for each from there on.
    private static let tokens: (low: UInt64, high: UInt64) = (0x03ff_6cfa_0000_0000, 0x57ff_ffff_c7ff_fffe)

    /// What names consist of: the `tchar` of RFC 9110.
    @inline(__always)
    static func isToken(_ byte: UInt8) -> Bool {
        let bits = byte < 64 ? tokens.low : byte < 128 ? tokens.high : 0
        return bits >> UInt64(byte & 63) & 1 == 1
    }

    /// What may stand in the value of a field: visible characters, blanks, tabs, and bytes above ASCII.
    @inline(__always)
    static func isValue(_ byte: UInt8) -> Bool { (byte >= 0x20 && byte != 0x7F) || byte == 0x09 }

    /// What may stand in the target of a request: visible ASCII without `#`, which is never sent.
    @inline(__always)
    static func isTarget(_ byte: UInt8) -> Bool { byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "#") }

    /// A blank or a tab.
    @inline(__always)
    static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    /// A decimal digit.
    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool { 0x30...0x39 ~= byte }
}
