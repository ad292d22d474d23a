import CZstd
public import Model

/// Compresses blocks. One per thread: it reuses its zstd context and its buffer.
public final class BlockEncoder {
    private let context: OpaquePointer
    private let buffer: UnsafeMutableRawBufferPointer

    /// Makes an encoder; allocates about 1 MiB.
    public init() {
        guard let context = ZSTD_createCCtx() else { preconditionFailure("libzstd: no memory for a context") }
        self.context = context
        buffer = .allocate(byteCount: BlockLimits.maximumBlockLength, alignment: 64)
    }

    deinit {
        ZSTD_freeCCtx(context)
        buffer.deallocate()
    }

    /// Encodes a block. What zstd makes less than a thirty-second smaller is stored plainly.
    ///
    /// - Parameters:
    ///   - plain: The plaintext, at most ``BlockLimits/maximumBlockLength`` bytes.
    ///   - id: Its name; taken on trust.
    ///   - compression: What to try.
    /// - Returns: The block, ready to be sent or sealed.
    public func encode(_ plain: UnsafeRawBufferPointer, id: BlockID, as compression: Compression) -> EncodedBlock {
        precondition(plain.count <= BlockLimits.maximumBlockLength, "block \(id) is too long")
        if case .zstd(let level) = compression, let payload = compressed(plain, level) {
            return EncodedBlock(id: id, codec: .zstd, length: plain.count, payload: payload)
        }
        return EncodedBlock(id: id, codec: .stored, length: plain.count, payload: [UInt8](plain))
    }

    /// One zstd frame; nil when it saves too little. The room it is given is the most that it may use, so that zstd
    /// itself gives up on what does not shrink.
    private func compressed(_ plain: UnsafeRawBufferPointer, _ level: Int32) -> [UInt8]? {
        let room = plain.count - plain.count / 32 - 1
        guard room > 0 else { return nil }
        let count = ZSTD_compressCCtx(context, buffer.baseAddress, room, plain.baseAddress, plain.count, level)
        guard ZSTD_isError(count) == 0 else { return nil }
        return [UInt8](UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
}
