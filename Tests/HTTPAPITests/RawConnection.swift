import Dispatch
import Foundation
import Glibc

/// A connection without any HTTP of its own, to do what no client does.
final class RawConnection: Sendable {
    private let socket: Int32
    private let queue = DispatchQueue(label: "raw connection")

    /// Connects to a port of this machine, by whichever family the server chose.
    init(port: Int) throws {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo("localhost", "\(port)", &hints, &found) == 0 else { throw POSIXError(.EADDRNOTAVAIL) }
        defer { freeaddrinfo(found) }
        var next = found
        while let address = next {
            let candidate = Glibc.socket(address.pointee.ai_family, address.pointee.ai_socktype, 0)
            if connect(candidate, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0 {
                var patience = timeval(tv_sec: 10, tv_usec: 0)
                setsockopt(candidate, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
                socket = candidate
                return
            }
            Glibc.close(candidate)
            next = address.pointee.ai_next
        }
        throw POSIXError(.ECONNREFUSED)
    }

    deinit { Glibc.close(socket) }

    func send(_ text: String) { send(bytes: Array(text.utf8)) }

    func send(bytes: [UInt8]) {
        _ = Glibc.send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    /// Says that nothing more will be sent.
    func finish() { shutdown(socket, Int32(SHUT_WR)) }

    /// Hangs up without a word.
    func close() { Glibc.shutdown(socket, Int32(SHUT_RDWR)) }

    /// Everything that comes until the other side hangs up, or pauses for ten seconds.
    func everything() async -> String {
        await withCheckedContinuation { continuation in
            queue.async { [socket] in
                var bytes: [UInt8] = []
                var part = [UInt8](repeating: 0, count: 65_536)
                while true {
                    let count = recv(socket, &part, part.count, 0)
                    guard count > 0 else { break }
                    bytes += part[..<count]
                }
                continuation.resume(returning: String(decoding: bytes, as: UTF8.self))
            }
        }
    }
}
