public import Model

/// Encrypts an account's blocks for storage, and decrypts them. One per thread: it reuses its cipher contexts.
///
/// A sealed record is `version | nonce | ciphertext | tag`; the ciphertext holds the block's name, codec and length
/// before its payload, so that a pack can be read back with the key alone and no hash of plaintext lies in the clear.
/// The nonce is drawn at random: 96 bits allow 2^32 records for a key (NIST SP 800-38D, 8.3), which is half a pebibyte
/// of blocks.
public final class BlockSealer {
    /// How many bytes a sealed record has more than the payload in it.
    public static let overhead = bodyOffset + AES256GCM.tagLength

    static let version: UInt8 = 1
    private static let nonceOffset = 1
    private static let headerOffset = nonceOffset + AES256GCM.nonceLength
    private static let headerLength = 37
    private static let bodyOffset = headerOffset + headerLength

    private let cipher: AES256GCM
    private let associated: [UInt8]
    private let account: AccountID
    private var random: any RandomNumberGenerator

    /// Makes a sealer for the blocks of an account.
    /// - Throws: ``BlocksError`` `cryptography` when libcrypto refuses the key.
    public convenience init(key: AccountKey, account: AccountID) throws {
        try self.init(key: key, account: account, nonces: SecureRandom())
    }

    /// Makes a sealer that draws its nonces from `nonces`, so that a test can know them.
    package init(key: AccountKey, account: AccountID, nonces: any RandomNumberGenerator) throws {
        cipher = try AES256GCM(key: key.secret)
        associated = [Self.version] + account.bytes
        self.account = account
        random = nonces
    }

    /// The sealed record of a block.
    /// - Throws: ``BlocksError`` `tooLarge` or `corruptBlock` for a block that could not be read back, `cryptography`.
    public func seal(_ block: EncodedBlock) throws -> [UInt8] {
        try block.checkForm()
        let total = block.payload.count + Self.overhead
        return try [UInt8](unsafeUninitializedCapacity: total) { room, count in
            let out = UnsafeMutableRawPointer(room.baseAddress.unsafelyUnwrapped)
            out.storeBytes(of: Self.version, as: UInt8.self)
            out.store(bigEndian: random.next(), at: Self.nonceOffset)
            out.store(bigEndian: UInt32(truncatingIfNeeded: random.next()), at: Self.nonceOffset + 8)
            let header = UnsafeMutableRawBufferPointer(start: out + Self.headerOffset, count: Self.headerLength)
            Self.write(block, to: out + Self.headerOffset)
            try block.payload.withUnsafeBytes { body in
                try associated.withUnsafeBytes { associated in
                    try cipher.seal(
                        nonce: out + Self.nonceOffset, associated: associated, header: UnsafeRawBufferPointer(header),
                        body: body, into: out + Self.headerOffset)
                }
            }
            count = total
        }
    }

    /// Opens a sealed record that must hold a certain block.
    /// - Throws: ``BlocksError`` `hashMismatch` when it holds another one, else as ``openAny(_:)`` does.
    public func open(_ sealed: UnsafeRawBufferPointer, expecting id: BlockID) throws -> EncodedBlock {
        let block = try openAny(sealed)
        guard block.id == id else {
            throw BlocksError(.hashMismatch, "a sealed record of account \(account) holds block \(block.id), not \(id)")
        }
        return block
    }

    /// Opens a sealed record, whatever block it holds. The payload is authentic, but is not decoded.
    /// - Throws: ``BlocksError`` `corruptBlock` or `tooLarge` for what is no sealed record, `authenticationFailed` for
    ///   one that was made with another key, for another account, or altered.
    public func openAny(_ sealed: UnsafeRawBufferPointer) throws -> EncodedBlock {
        try checkForm(sealed)
        let bodyLength = sealed.count - Self.overhead
        return try withUnsafeTemporaryAllocation(byteCount: Self.headerLength, alignment: 8) { header in
            let payload = try [UInt8](unsafeUninitializedCapacity: bodyLength) { room, count in
                try decrypt(
                    sealed, header: header,
                    body: UnsafeMutableRawBufferPointer(start: room.baseAddress, count: bodyLength))
                count = bodyLength
            }
            let block = try read(UnsafeRawBufferPointer(header), payload)
            try block.checkForm()
            return block
        }
    }

    private func checkForm(_ sealed: UnsafeRawBufferPointer) throws(BlocksError) {
        guard sealed.count >= Self.overhead, sealed[0] == Self.version else {
            throw BlocksError(
                .corruptBlock,
                "\(sealed.count) bytes that begin with \(sealed.first ?? 0) are no sealed record of version "
                    + "\(Self.version)")
        }
        guard sealed.count <= BlockLimits.maximumBlockLength + Self.overhead else {
            throw BlocksError(.tooLarge, "a sealed record of \(sealed.count) bytes can't hold a block")
        }
    }

    private func decrypt(
        _ sealed: UnsafeRawBufferPointer, header: UnsafeMutableRawBufferPointer, body: UnsafeMutableRawBufferPointer
    ) throws {
        let start = sealed.baseAddress.unsafelyUnwrapped
        let authentic = try associated.withUnsafeBytes { associated in
            try cipher.open(
                nonce: start + Self.nonceOffset, associated: associated,
                sealed: UnsafeRawBufferPointer(rebasing: sealed[Self.headerOffset...]), header: header, body: body)
        }
        guard authentic else {
            throw BlocksError(
                .authenticationFailed,
                "a sealed record of \(sealed.count) bytes does not open with the key of account \(account)")
        }
    }

    /// Writes name, codec and length.
    private static func write(_ block: EncodedBlock, to out: UnsafeMutableRawPointer) {
        out.store(block.id.digest, at: 0)
        out.storeBytes(of: block.codec.rawValue, toByteOffset: 32, as: UInt8.self)
        out.store(bigEndian: UInt32(block.length), at: 33)
    }

    /// Reads name, codec and length.
    private func read(_ header: UnsafeRawBufferPointer, _ payload: [UInt8]) throws(BlocksError) -> EncodedBlock {
        let start = header.baseAddress.unsafelyUnwrapped
        let id = BlockID(Digest(loading: start))
        guard let codec = BlockCodec(rawValue: header[32]) else {
            throw BlocksError(.corruptBlock, "block \(id) is sealed with the unknown codec \(header[32])")
        }
        let length = Int(start.load(bigEndian: UInt32.self, at: 33))
        return EncodedBlock(id: id, codec: codec, length: length, payload: payload)
    }
}
