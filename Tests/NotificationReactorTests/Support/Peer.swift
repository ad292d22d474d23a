import CLinux
import Dispatch
import Glibc
import Synchronization

/// The other end of a connection to a reactor: a socket that waits on a queue of its own, so that tests do not hold up the
/// tasks that they wait for.
final class Peer: Sendable {
    /// What a server sends: a status, fields with names in lower case, and a body.
    struct Answer: Hashable {
        var status = 0
        var fields: [String: String] = [:]
        var body: [UInt8] = []

        var text: String { String(decoding: body, as: UTF8.self) }
    }

    /// Why there is no answer.
    enum Failure: Error {
        case noConnection(Int32)
        /// The connection ended, after so many bytes of an answer.
        case ended(Int)
        case silent
    }

    private let socket: Int32
    private let queue = DispatchQueue(label: "peer")
    private let received = Mutex<[UInt8]>([])
    private let isOpen = Mutex(true)

    /// Connects on loopback. `window` is for how many bytes the peer has room that it has not read.
    init(port: UInt16, window: Int32? = nil) throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if var window {
            setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &window, socklen_t(MemoryLayout<Int32>.size))
        }
        // A test that waits for what never comes fails instead of hanging.
        var patience = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw Failure.noConnection(errno) }
    }

    deinit { close() }

    /// Sends bytes, all of them.
    func send(_ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                cairn_send(socket, $0.baseAddress.unsafelyUnwrapped + sent, $0.count - sent)
            }
            guard count > 0 else { return }
            sent += count
        }
    }

    func send(_ text: String) { send(Array(text.utf8)) }

    /// Sends bytes again and again until the other side takes no more.
    func flood(_ text: String) {
        _ = fcntl(socket, F_SETFL, O_NONBLOCK)
        let bytes = Array(text.utf8)
        while bytes.withUnsafeBytes({ cairn_send(socket, $0.baseAddress, $0.count) }) > 0 {}
        _ = fcntl(socket, F_SETFL, 0)
    }

    /// Sends no more, but would still read.
    func finish() { shutdown(socket, Int32(SHUT_WR)) }

    /// Goes away.
    func close() {
        let wasOpen = isOpen.withLock { isOpen in
            defer { isOpen = false }
            return isOpen
        }
        if wasOpen { _ = Glibc.close(socket) }
    }

    /// Goes away like a process that is killed with bytes unread: with a reset.
    func reset() {
        var now = linger(l_onoff: 1, l_linger: 0)
        setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    /// The next answer.
    func answer() async throws -> Answer {
        while true {
            if let answer = received.withLock({ Self.takeAnswer(from: &$0) }) { return answer }
            guard try await receive() else { throw Failure.ended(received.withLock { $0.count }) }
        }
    }

    /// Waits for the end of the connection; what was received before and not asked for.
    func rest() async throws -> [UInt8] {
        while try await receive() {}
        return received.withLock { $0 }
    }

    /// Receives something; false at the end of the connection.
    private func receive() async throws -> Bool {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { [self] in
                var buffer = [UInt8](repeating: 0, count: 4_096)
                let count = recv(socket, &buffer, buffer.count, 0)
                if count > 0 { received.withLock { $0 += buffer[..<count] } }
                if count < 0, errno == EAGAIN {
                    continuation.resume(throwing: Failure.silent)
                } else {
                    continuation.resume(returning: count > 0)
                }
            }
        }
    }

    private static func takeAnswer(from bytes: inout [UInt8]) -> Answer? {
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
        var answer = Answer()
        answer.status = lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            answer.fields[parts[0].lowercased()] = String(parts[1].drop { $0 == " " })
        }
        let length = answer.fields["content-length"].flatMap { Int($0) } ?? 0
        guard bytes.count >= end.upperBound + length else { return nil }
        answer.body = Array(bytes[end.upperBound..<end.upperBound + length])
        bytes.removeFirst(end.upperBound + length)
        return answer
    }
}
