import COpenSSL
public import Model

/// HMAC-SHA256 (RFC 2104, FIPS 198-1) under one key.
///
/// The key's two blocks are hashed once, when it is made; each code then starts from a copy of those two states.
/// Sendable although it holds pointers: after `init` the two states are only read, which libcrypto allows from any
/// thread.
public final class HMACSHA256: @unchecked Sendable {
    private static let blockLength = 64

    private let inner: OpaquePointer
    private let outer: OpaquePointer

    /// Takes a key of any length; one of more than 64 bytes counts as its hash.
    public init(key: UnsafeRawBufferPointer) {
        inner = Self.makeContext()
        outer = Self.makeContext()
        withUnsafeTemporaryAllocation(byteCount: Self.blockLength, alignment: 8) { block in
            block.initializeMemory(as: UInt8.self, repeating: 0)
            if key.count > Self.blockLength {
                let digest = SHA256Hasher.digest(of: key)
                block.baseAddress.unsafelyUnwrapped.store(digest, at: 0)
            } else {
                block.copyMemory(from: key)
            }
            for index in block.indices { block[index] ^= 0x36 }
            Self.begin(inner, block)
            for index in block.indices { block[index] ^= 0x36 ^ 0x5C }
            Self.begin(outer, block)
            OPENSSL_cleanse(block.baseAddress, block.count)
        }
    }

    /// Takes a key of any length.
    public convenience init(key: [UInt8]) {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, key.count), alignment: 8)
        defer {
            OPENSSL_cleanse(memory.baseAddress, memory.count)
            memory.deallocate()
        }
        memory.copyBytes(from: key)
        self.init(key: UnsafeRawBufferPointer(rebasing: memory[..<key.count]))
    }

    deinit {
        EVP_MD_CTX_free(inner)
        EVP_MD_CTX_free(outer)
    }

    /// The code of a message.
    public func code(of message: UnsafeRawBufferPointer) -> Digest {
        let context = Self.makeContext()
        defer { EVP_MD_CTX_free(context) }
        return withUnsafeTemporaryAllocation(byteCount: 32, alignment: 8) { out in
            let address = out.baseAddress.unsafelyUnwrapped
            let bytes = address.assumingMemoryBound(to: UInt8.self)
            let done =
                EVP_MD_CTX_copy_ex(context, inner) == 1
                && EVP_DigestUpdate(context, message.baseAddress, message.count) == 1
                && EVP_DigestFinal_ex(context, bytes, nil) == 1
                && EVP_MD_CTX_copy_ex(context, outer) == 1
                && EVP_DigestUpdate(context, bytes, out.count) == 1
                && EVP_DigestFinal_ex(context, bytes, nil) == 1
            precondition(done, LibCrypto.lastError)
            return Digest(loading: address)
        }
    }

    /// The code of a message.
    public func code(of message: [UInt8]) -> Digest {
        message.withUnsafeBytes { code(of: $0) }
    }

    /// Whether a code is that of a message. How long it takes says nothing about how much of the code is right.
    public func isCode(_ code: Digest, of message: UnsafeRawBufferPointer) -> Bool {
        let right = self.code(of: message).words
        let given = code.words
        let difference =
            (right.0 ^ given.0) | (right.1 ^ given.1) | (right.2 ^ given.2) | (right.3 ^ given.3)
        return difference == 0
    }

    private static func makeContext() -> OpaquePointer {
        guard let context = EVP_MD_CTX_new() else { preconditionFailure("libcrypto: no memory for a hash") }
        return context
    }

    private static func begin(_ context: OpaquePointer, _ block: UnsafeMutableRawBufferPointer) {
        let done =
            EVP_DigestInit_ex2(context, LibCrypto.sha256, nil) == 1
            && EVP_DigestUpdate(context, block.baseAddress, block.count) == 1
        precondition(done, LibCrypto.lastError)
    }
}
