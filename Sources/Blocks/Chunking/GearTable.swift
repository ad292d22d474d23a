/// The random numbers of the rolling hash, 256 of them, and the masks that decide where it cuts.
///
/// Both are part of the format (docs/format.md, "Chunking"): other numbers would cut elsewhere, and nothing stored
/// before would be found again.
enum GearTable {
    /// The seed of the table: the letters `cairnCDC`.
    static let seed: UInt64 = 0x6361_6972_6e43_4443

    /// The numbers: the first 256 outputs of SplitMix64 (Steele, Lea, Flood 2014) from the seed.
    static func numbers() -> [UInt64] {
        var state = seed
        return (0..<256).map { _ in
            state &+= 0x9e37_79b9_7f4a_7c15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
            return mixed ^ (mixed >> 31)
        }
    }

    /// A mask of `count` bits, spread over bits 62 down to 15, so that 63 bytes take part in a decision.
    ///
    /// Bit 63 stays clear: the chunker also tests the hash shifted left by one, which would lose it.
    static func mask(bits count: Int) -> UInt64 {
        (0..<count).reduce(0) { $0 | 1 << UInt64(62 - $1 * 48 / count) }
    }
}
