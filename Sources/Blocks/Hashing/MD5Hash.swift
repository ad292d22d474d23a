import COpenSSL

/// MD5 (RFC 1321), only where a protocol asks for it to find damage on the way; it keeps nobody from forging.
public enum MD5Hash {
    /// The 16 bytes of the hash.
    /// - Returns: nil where the machine's libcrypto refuses MD5, as in its FIPS mode.
    public static func digest(of bytes: [UInt8]) -> [UInt8]? {
        guard LibCrypto.hasBegun else { return nil }
        var digest = [UInt8](repeating: 0, count: 16)
        var length = 0
        let done = EVP_Q_digest(nil, "MD5", nil, bytes, bytes.count, &digest, &length)
        return done == 1 && length == 16 ? digest : nil
    }
}
