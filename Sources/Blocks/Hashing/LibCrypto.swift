import COpenSSL

/// What is asked of libcrypto once: fetching an algorithm by name costs a microsecond, every time.
///
/// The pointers may be shared between threads: fetched algorithms are immutable and are never freed here.
enum LibCrypto {
    /// SHA-256.
    nonisolated(unsafe) static let sha256 = fetched("SHA2-256") { EVP_MD_fetch(nil, $0, nil) }
    /// AES-256 in Galois counter mode.
    nonisolated(unsafe) static let aes256GCM = fetched("AES-256-GCM") { EVP_CIPHER_fetch(nil, $0, nil) }

    /// Whether libcrypto has begun, without its own clean-up at the end of the process: that would free what worker
    /// threads still hold or, as they end at the same moment, free themselves. To be asked before its first use.
    static let hasBegun = OPENSSL_init_crypto(UInt64(OPENSSL_INIT_NO_ATEXIT), nil) == 1

    /// What libcrypto says about the last failure on this thread.
    static var lastError: String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { text in
            guard let address = text.baseAddress else { return "libcrypto: no reason given" }
            ERR_error_string_n(ERR_get_error(), address, text.count)
            return "libcrypto: " + String(cString: address)
        }
    }

    private static func fetched(_ name: String, _ fetch: (String) -> OpaquePointer?) -> OpaquePointer {
        guard hasBegun, let algorithm = fetch(name) else {
            preconditionFailure("libcrypto has no \(name): \(lastError)")
        }
        return algorithm
    }
}
