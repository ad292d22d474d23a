import COpenSSL

/// AES-256-GCM (NIST SP 800-38D) with one key. It reuses its libcrypto contexts, so it belongs to one thread at a time.
///
/// A text is two parts that follow each other, so that a header and a body need not be put together first.
final class AES256GCM {
    /// The bytes of a nonce. No nonce may be used twice with a key.
    static let nonceLength = 12
    /// The bytes of the tag that follows the ciphertext.
    static let tagLength = 16

    private let encryption: OpaquePointer
    private let decryption: OpaquePointer

    init(key: SecretKey) throws(BlocksError) {
        guard let encryption = EVP_CIPHER_CTX_new(), let decryption = EVP_CIPHER_CTX_new() else {
            preconditionFailure("libcrypto: no memory for a cipher")
        }
        self.encryption = encryption
        self.decryption = decryption
        try key.withBytes { bytes throws(BlocksError) in
            let key = bytes.bindMemory(to: UInt8.self).baseAddress
            try Self.expect(EVP_EncryptInit_ex2(encryption, LibCrypto.aes256GCM, key, nil, nil))
            try Self.expect(EVP_DecryptInit_ex2(decryption, LibCrypto.aes256GCM, key, nil, nil))
        }
    }

    deinit {
        EVP_CIPHER_CTX_free(encryption)
        EVP_CIPHER_CTX_free(decryption)
    }

    /// Encrypts `header` and `body` to `out`, and puts the tag behind them.
    /// - Parameters:
    ///   - nonce: 12 bytes.
    ///   - associated: What the tag covers beside the text.
    ///   - header: The first part; may lie where its ciphertext goes.
    ///   - body: The second part.
    ///   - out: Room for both parts and the tag.
    /// - Throws: ``BlocksError`` `cryptography`.
    func seal(
        nonce: UnsafeRawPointer, associated: UnsafeRawBufferPointer, header: UnsafeRawBufferPointer,
        body: UnsafeRawBufferPointer, into out: UnsafeMutableRawPointer
    ) throws(BlocksError) {
        let bytes = out.assumingMemoryBound(to: UInt8.self)
        var count: Int32 = 0
        try Self.expect(EVP_EncryptInit_ex2(encryption, nil, nil, nonce.assumingMemoryBound(to: UInt8.self), nil))
        try Self.expect(EVP_EncryptUpdate(encryption, nil, &count, Self.start(associated), Int32(associated.count)))
        try Self.expect(EVP_EncryptUpdate(encryption, bytes, &count, Self.start(header), Int32(header.count)))
        if !body.isEmpty {
            let place = bytes + header.count
            try Self.expect(EVP_EncryptUpdate(encryption, place, &count, Self.start(body), Int32(body.count)))
        }
        let end = bytes + header.count + body.count
        try Self.expect(EVP_EncryptFinal_ex(encryption, end, &count))
        try Self.expect(EVP_CIPHER_CTX_ctrl(encryption, EVP_CTRL_AEAD_GET_TAG, Int32(Self.tagLength), end))
    }

    /// Decrypts what ``seal(nonce:associated:header:body:into:)`` made: ciphertext and tag in `sealed`.
    /// - Returns: Whether the tag fits. If not, what was written to `header` and `body` must not be used.
    func open(
        nonce: UnsafeRawPointer, associated: UnsafeRawBufferPointer, sealed: UnsafeRawBufferPointer,
        header: UnsafeMutableRawBufferPointer, body: UnsafeMutableRawBufferPointer
    ) throws(BlocksError) -> Bool {
        precondition(sealed.count == header.count + body.count + Self.tagLength, "the parts must fill the sealed bytes")
        var count: Int32 = 0
        let text = Self.start(sealed)
        try Self.expect(EVP_DecryptInit_ex2(decryption, nil, nil, nonce.assumingMemoryBound(to: UInt8.self), nil))
        try Self.expect(EVP_DecryptUpdate(decryption, nil, &count, Self.start(associated), Int32(associated.count)))
        try Self.expect(
            EVP_DecryptUpdate(decryption, Self.start(header), &count, text, Int32(header.count)))
        if !body.isEmpty {
            let place = text.map { $0 + header.count }
            try Self.expect(EVP_DecryptUpdate(decryption, Self.start(body), &count, place, Int32(body.count)))
        }
        // libcrypto takes the tag through a pointer that it does not write to.
        let tag = UnsafeMutableRawPointer(mutating: text.map { $0 + header.count + body.count })
        try Self.expect(EVP_CIPHER_CTX_ctrl(decryption, EVP_CTRL_AEAD_SET_TAG, Int32(Self.tagLength), tag))
        var rest: UInt8 = 0
        return EVP_DecryptFinal_ex(decryption, &rest, &count) == 1
    }

    private static func start(_ bytes: UnsafeRawBufferPointer) -> UnsafePointer<UInt8>? {
        bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
    }

    private static func start(_ bytes: UnsafeMutableRawBufferPointer) -> UnsafeMutablePointer<UInt8>? {
        bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
    }

    private static func expect(_ result: Int32) throws(BlocksError) {
        guard result == 1 else { throw BlocksError(.cryptography, "AES-256-GCM failed: \(LibCrypto.lastError)") }
    }
}
