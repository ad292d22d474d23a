public import Model

/// A hash for tests that need one, but not a strong one: four passes of FNV-1a with different starts, mixed.
public enum TestHash {
    /// The digest of bytes.
    public static let digest: @Sendable ([UInt8]) -> Digest = { bytes in
        func word(_ start: UInt64) -> UInt64 {
            var hash = 0xcbf2_9ce4_8422_2325 ^ start
            for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
            hash = (hash ^ (hash >> 30)) &* 0xbf58_476d_1ce4_e5b9
            return hash ^ (hash >> 27)
        }
        return Digest(words: (word(1), word(0x2000), word(0x30_0000), word(0x4000_0000)))
    }
}
