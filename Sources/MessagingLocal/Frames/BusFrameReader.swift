/// Cuts what arrives on a connection into frames, however it was torn on its way.
///
/// It holds no more than what was fed since the last frame was taken, and less than one frame besides.
struct BusFrameReader {
    private var bytes: [UInt8] = []
    private var first = 0

    /// Adds what arrived.
    mutating func feed(_ arrived: some Sequence<UInt8>) {
        if first > 0 {
            bytes.removeFirst(first)
            first = 0
        }
        bytes.append(contentsOf: arrived)
    }

    /// Takes the next frame; nil when it has not arrived as a whole.
    /// - Throws: ``BusSocketError`` `malformed`; the connection is then of no more use.
    mutating func next() throws(BusSocketError) -> BusFrame? {
        guard bytes.count - first >= 4 else { return nil }
        let length = bytes[first..<first + 4].reduce(0) { $0 << 8 | Int($1) }
        guard (1...BusFrame.longest).contains(length) else {
            throw BusSocketError(.malformed, "a frame of \(length) bytes is announced")
        }
        guard bytes.count - first >= 4 + length else { return nil }
        let body = bytes[first + 4..<first + 4 + length]
        first += 4 + length
        return try BusFrame(decoding: body)
    }
}
