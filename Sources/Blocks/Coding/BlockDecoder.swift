import CZstd
import Model

/// Decompresses and verifies blocks. One per thread: it reuses its zstd context and its hash.
public final class BlockDecoder {
    private let context: OpaquePointer
    private var hasher = SHA256Hasher()

    /// Makes a decoder.
    public init() {
        guard let context = ZSTD_createDCtx() else { preconditionFailure("libzstd: no memory for a context") }
        self.context = context
    }

    deinit {
        ZSTD_freeDCtx(context)
    }

    /// The plaintext of a block, which has the length and the hash that it is said to have.
    /// - Throws: ``BlocksError`` `tooLarge`, `corruptBlock` or `hashMismatch`. Nothing is allocated for what is too
    ///   large.
    public func decode(_ block: EncodedBlock) throws -> [UInt8] {
        try block.checkForm()
        return try [UInt8](unsafeUninitializedCapacity: block.length) { out, count in
            try decode(
                block,
                into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(out)[..<block.length]))
            count = block.length
        }
    }

    /// Writes the plaintext of a block to memory of exactly its length.
    ///
    /// What was written before an error is thrown must not be used.
    /// - Throws: As ``decode(_:)`` does.
    public func decode(_ block: EncodedBlock, into out: UnsafeMutableRawBufferPointer) throws {
        try block.checkForm()
        precondition(out.count == block.length, "block \(block.id) needs room for \(block.length) bytes")
        switch block.codec {
        case .stored: block.payload.withUnsafeBytes { out.copyMemory(from: $0) }
        case .zstd: try decompress(block, into: out)
        }
        hasher.update(UnsafeRawBufferPointer(out))
        let digest = hasher.finish()
        guard digest == block.id.digest else {
            throw BlocksError(.hashMismatch, "block \(block.id): its bytes have the hash \(digest)")
        }
    }

    private func decompress(_ block: EncodedBlock, into out: UnsafeMutableRawBufferPointer) throws(BlocksError) {
        let count = block.payload.withUnsafeBytes {
            ZSTD_decompressDCtx(context, out.baseAddress, out.count, $0.baseAddress, $0.count)
        }
        if ZSTD_isError(count) != 0 {
            throw BlocksError(
                .corruptBlock, "block \(block.id): zstd says: \(String(cString: ZSTD_getErrorName(count)))")
        }
        guard count == block.length else {
            throw BlocksError(.corruptBlock, "block \(block.id): \(count) bytes came out instead of \(block.length)")
        }
    }
}
