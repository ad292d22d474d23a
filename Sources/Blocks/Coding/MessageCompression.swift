import CZstd

/// Compresses whole messages for the wire: one zstd frame (RFC 8878) a message.
public enum MessageCompression {
    private static let level: Int32 = 1

    /// The message as one frame; nil when that is not smaller.
    public static func compress(_ bytes: [UInt8]) -> [UInt8]? {
        guard bytes.count > 1 else { return nil }
        var failed = false
        let frame = [UInt8](unsafeUninitializedCapacity: bytes.count - 1) { room, count in
            let written = bytes.withUnsafeBytes {
                ZSTD_compress(room.baseAddress, room.count, $0.baseAddress, $0.count, level)
            }
            failed = ZSTD_isError(written) != 0
            count = failed ? 0 : written
        }
        return failed ? nil : frame
    }

    /// The message of a frame, which may or may not tell its length.
    ///
    /// - Parameters:
    ///   - frame: The bytes of the frame.
    ///   - limit: The most bytes that may come out. Room is made as they come, so that a small frame that claims to be
    ///     huge costs nothing.
    /// - Returns: The bytes that were compressed.
    /// - Throws: ``BlocksError`` `tooLarge` beyond the limit, `compression` for what is no frame, is cut off, or is
    ///   followed by other bytes.
    public static func decompress(_ frame: [UInt8], atMost limit: Int) throws -> [UInt8] {
        guard let context = ZSTD_createDCtx() else { preconditionFailure("libzstd: no memory for a context") }
        defer { ZSTD_freeDCtx(context) }
        var message: [UInt8] = []
        try frame.withUnsafeBytes { frame in
            var input = ZSTD_inBuffer(src: frame.baseAddress, size: frame.count, pos: 0)
            var hint = 1
            while hint != 0 {
                guard message.count <= limit else {
                    throw BlocksError(.tooLarge, "a compressed message of more than \(limit) bytes")
                }
                let before = input.pos
                let produced = try step(
                    context, &input, &hint, room: min(max(4 * frame.count, 64 << 10), limit + 1 - message.count))
                if produced.isEmpty && input.pos == before && hint != 0 {
                    throw BlocksError(.compression, "a compressed message is cut off")
                }
                message += produced
            }
            guard input.pos == frame.count else {
                throw BlocksError(.compression, "bytes follow a compressed message")
            }
        }
        guard message.count <= limit else {
            throw BlocksError(.tooLarge, "a compressed message of more than \(limit) bytes")
        }
        return message
    }

    private static func step(
        _ context: OpaquePointer, _ input: inout ZSTD_inBuffer, _ hint: inout Int, room: Int
    ) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: max(1, room)) { out, count in
            var output = ZSTD_outBuffer(dst: out.baseAddress, size: out.count, pos: 0)
            let result = ZSTD_decompressStream(context, &output, &input)
            guard ZSTD_isError(result) == 0 else {
                let reason = String(cString: ZSTD_getErrorName(result))
                throw BlocksError(.compression, "a compressed message can't be read: \(reason)")
            }
            hint = result
            count = output.pos
        }
    }
}
