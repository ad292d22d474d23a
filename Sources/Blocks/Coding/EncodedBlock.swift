public import Model

/// How the payload of an encoded block is to be read.
public enum BlockCodec: UInt8, Hashable, Sendable {
    /// The payload is the plaintext.
    case stored = 0
    /// The payload is one zstd frame (RFC 8878).
    case zstd = 1
}

/// A block as it travels and as it is sealed: named by its plaintext, compressed or not.
///
/// Nothing in it is verified: ``BlockDecoder`` does that.
public struct EncodedBlock: Hashable, Sendable {
    /// The name: SHA-256 of the plaintext.
    public let id: BlockID
    /// How to read the payload.
    public let codec: BlockCodec
    /// The bytes of plaintext.
    public let length: Int
    /// The encoded bytes.
    public let payload: [UInt8]

    /// Makes a block of its parts.
    public init(id: BlockID, codec: BlockCodec, length: Int, payload: [UInt8]) {
        self.id = id
        self.codec = codec
        self.length = length
        self.payload = payload
    }

    /// Checks what can be checked without decoding: the lengths.
    func checkForm() throws(BlocksError) {
        guard length >= 0 && length <= BlockLimits.maximumBlockLength && payload.count <= length else {
            throw BlocksError(
                .tooLarge,
                "block \(id): \(payload.count) bytes that stand for \(length); at most as many are allowed, "
                    + "and at most \(BlockLimits.maximumBlockLength)")
        }
        guard codec != .stored || payload.count == length else {
            throw BlocksError(.corruptBlock, "block \(id): \(payload.count) stored bytes are said to be \(length)")
        }
    }
}
