import Glibc

/// One end of a connection as its thread sees it: frames come in, bytes go out, and no call waits.
struct BusConnection {
    let descriptor: Int32
    /// Whether the other side has said which version it speaks.
    private(set) var isGreeted = false
    private var reader = BusFrameReader()
    private var sending: [UInt8] = []
    private var sent = 0

    /// The most bytes that one call takes in, so that a loud peer leaves their turn to the others.
    private static let portion = 16 << 10

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// Whether bytes wait for the other side to read.
    var isSending: Bool { sent < sending.count }

    /// Takes the frames that have arrived. The greeting is checked here, and is not among them.
    /// - Throws: ``BusSocketError``: `closed`, `malformed`, `version`, `system`.
    mutating func receive() throws(BusSocketError) -> [BusFrame] {
        var failure: Int32 = 0
        let arrived = [UInt8](unsafeUninitializedCapacity: Self.portion) { buffer, count in
            let received = recv(descriptor, buffer.baseAddress, buffer.count, 0)
            failure = received < 0 ? errno : 0
            count = max(0, received)
        }
        if failure == EAGAIN || failure == EINTR { return [] }
        if failure != 0 { throw .system("a connection of the bus was lost", failure) }
        if arrived.isEmpty { throw BusSocketError(.closed, "the other side of the bus hung up") }
        reader.feed(arrived)
        var frames: [BusFrame] = []
        while let frame = try reader.next() {
            if isGreeted { frames.append(frame) } else { try greet(frame) }
        }
        return frames
    }

    private mutating func greet(_ frame: BusFrame) throws(BusSocketError) {
        guard case .hello(let version) = frame else {
            throw BusSocketError(.malformed, "the other side of the bus did not begin with its version")
        }
        guard version == BusFrame.version else {
            throw BusSocketError(
                .version, "the other side of the bus speaks version \(version), this one \(BusFrame.version)")
        }
        isGreeted = true
    }

    /// Sends what waits, and then what `more` brings, until there is nothing, or the other side has to read first.
    /// - Throws: ``BusSocketError``: `closed`, `system`.
    mutating func send(_ more: () -> [UInt8]) throws(BusSocketError) {
        while true {
            if !isSending {
                sending = more()
                sent = 0
                if sending.isEmpty { return }
            }
            let count = sending.withUnsafeBytes { bytes in
                Glibc.send(descriptor, bytes.baseAddress.map { $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0 {
                if errno == EAGAIN || errno == EINTR { return }
                throw errno == EPIPE
                    ? BusSocketError(.closed, "the other side of the bus hung up")
                    : .system("a connection of the bus was lost", errno)
            }
            sent += count
        }
    }
}
