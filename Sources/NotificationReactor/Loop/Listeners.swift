import CLinux
import Glibc
import Synchronization

/// The listening sockets of a reactor, all on one port: the kernel deals the connections out to them.
///
/// Each has a queue of connections that wait to be accepted, so several hold a larger crowd than one.
final class Listeners: Sendable {
    /// The port that they listen on.
    let port: UInt16
    /// Their descriptors, open as long as this is.
    let sockets: [Int32]

    /// Listens.
    /// - Throws: ``ReactorError/system(_:_:)``, also for an address that is not numeric.
    init(_ configuration: ReactorConfiguration, count: Int) throws(ReactorError) {
        var how = cairn_listening()
        how.backlog = Int32(clamping: configuration.backlog)
        how.shared = count > 1 ? 1 : 0
        // Most connections then come with their request: parked at once, without a round of waiting for it.
        how.defer_seconds = 1
        how.send_buffer = 16 << 10
        how.receive_buffer = 8 << 10
        how.silence_ms = Int32(clamping: Int(configuration.answer) * 1_000)
        var opened: [Int32] = []
        var port = configuration.port
        for _ in 0..<count {
            let socket = cairn_listen(configuration.address, port, &how)
            guard socket >= 0 else {
                let failure = errno
                for socket in opened { _ = close(socket) }
                throw .system("listening on \(configuration.address) port \(port)", failure)
            }
            opened.append(socket)
            // The first may have asked for any that is free.
            port = UInt16(clamping: cairn_port_of(socket))
        }
        self.port = port
        sockets = opened
    }

    deinit {
        for socket in sockets { _ = close(socket) }
    }

    /// Ends a listener for all who have it open, in whichever file table. Who still waits to be accepted is cut off.
    static func end(_ socket: Int32) { _ = shutdown(socket, Int32(SHUT_RD)) }

    /// Ends all.
    func end() {
        for socket in sockets { Self.end(socket) }
    }
}
