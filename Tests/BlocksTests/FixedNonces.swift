/// Yields the nonce of the golden files, `a0` to `ab`, over and over: a nonce takes 64 bits and the low 32 of the next.
struct FixedNonces: RandomNumberGenerator {
    private var even = false

    mutating func next() -> UInt64 {
        even.toggle()
        return even ? 0xa0a1_a2a3_a4a5_a6a7 : 0xa8a9_aaab
    }
}

/// Yields the bytes 0 to 31, the account key of the golden files.
struct CountingBytes: RandomNumberGenerator {
    private var position: UInt8 = 0

    mutating func next() -> UInt64 {
        defer { position += 8 }
        return (0..<8).reduce(0) { $0 | UInt64(position + $1) << (8 * UInt64($1)) }
    }
}
