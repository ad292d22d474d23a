import COpenSSL
public import Model

/// SHA-256 (FIPS 180-4) of bytes that come in pieces.
///
/// It keeps one libcrypto context: reuse a hasher for many messages, ``finish()`` makes it ready for the next.
public struct SHA256Hasher: ~Copyable {
    private let context: OpaquePointer

    /// Makes a hasher of an empty message.
    public init() {
        guard let context = EVP_MD_CTX_new() else { preconditionFailure("libcrypto: no memory for a hash") }
        self.context = context
        precondition(EVP_DigestInit_ex2(context, LibCrypto.sha256, nil) == 1, LibCrypto.lastError)
    }

    deinit {
        EVP_MD_CTX_free(context)
    }

    /// Appends bytes to the message.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        precondition(EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1, LibCrypto.lastError)
    }

    /// The hash of the message. Afterwards the hasher is as new.
    public mutating func finish() -> Digest {
        let digest = withUnsafeTemporaryAllocation(byteCount: 32, alignment: 8) { out in
            let address = out.baseAddress.unsafelyUnwrapped
            let done = EVP_DigestFinal_ex(context, address.assumingMemoryBound(to: UInt8.self), nil)
            precondition(done == 1, LibCrypto.lastError)
            return Digest(loading: address)
        }
        precondition(EVP_DigestInit_ex2(context, nil, nil) == 1, LibCrypto.lastError)
        return digest
    }

    /// The hash of bytes in memory. Costs some 30 ns more than a hasher that is reused.
    public static func digest(of bytes: UnsafeRawBufferPointer) -> Digest {
        withUnsafeTemporaryAllocation(byteCount: 32, alignment: 8) { out in
            let address = out.baseAddress.unsafelyUnwrapped
            let done = EVP_Digest(
                bytes.baseAddress, bytes.count, address.assumingMemoryBound(to: UInt8.self), nil, LibCrypto.sha256, nil)
            precondition(done == 1, LibCrypto.lastError)
            return Digest(loading: address)
        }
    }

    /// The hash of bytes in memory.
    public static func digest(of bytes: [UInt8]) -> Digest {
        bytes.withUnsafeBytes { digest(of: $0) }
    }
}
