import CXXHash

/// XXH3-64 (Collet 2019): finds damage, not malice; malice is found by the seal inside the payload.
enum Checksum {
    /// The checksum of bytes. O(n), about the speed of memory.
    static func of(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        XXH3_64bits(bytes.baseAddress, bytes.count)
    }

    /// The checksum of bytes. O(n).
    static func of(_ bytes: [UInt8]) -> UInt64 { bytes.withUnsafeBytes { of($0) } }
}
