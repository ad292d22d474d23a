public import Model

extension PollRequest {
    /// Reads a message as ``WireMessage/init(decoding:)`` does, but into an array that the caller uses again and again,
    /// so that nothing is allocated.
    /// - Parameters:
    ///   - bytes: the message.
    ///   - cursors: takes the place of what the array held.
    /// - Returns: How long to wait at most, in seconds.
    /// - Throws: ``WireError``, the same as `init(decoding:)`.
    public static func read(
        _ bytes: UnsafeRawBufferPointer, into cursors: inout [Cursor]
    ) throws(WireError) -> UInt32 {
        cursors.removeAll(keepingCapacity: true)
        var reader = RawReader(bytes: bytes)
        if let timeout = reader.request(into: &cursors) { return timeout }
        // Something is wrong with it; the general reader says what.
        let request = try PollRequest(decoding: Array(bytes))
        cursors = request.cursors
        return request.timeout
    }
}

/// Takes the fields of a poll request; nil where one is not as it should be.
private struct RawReader {
    let bytes: UnsafeRawBufferPointer
    var position = 0

    mutating func request(into cursors: inout [Cursor]) -> UInt32? {
        guard let timeout = number(), timeout <= 86_400, let count = number(), count <= WireLimits.maximumCursors else {
            return nil
        }
        for _ in 0..<count {
            guard bytes.count - position >= 16 else { return nil }
            let high = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
            let low = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: position + 8, as: UInt64.self))
            position += 16
            guard let revision = number() else { return nil }
            cursors.append(Cursor(namespace: NamespaceID(high: high, low: low), revision: Revision(revision)))
        }
        return position == bytes.count ? UInt32(timeout) : nil
    }

    private mutating func number() -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < bytes.count, shift < 64 {
            let byte = bytes[position]
            position += 1
            if shift == 63, byte > 1 { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return byte == 0 && shift > 0 ? nil : value }
            shift += 7
        }
        return nil
    }
}
