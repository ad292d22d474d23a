import CLinux
import Glibc
import Synchronization

/// The listening sockets of a reactor, one for each thread, all on one port: the kernel deals the connections out.
final class Listeners: Sendable {
    /// The port that they listen on.
    let port: UInt16
    private let sockets: Mutex<[Int32]>

    /// Listens.
    /// - Throws: ``ReactorError/system(_:_:)``, also for an address that is not numeric.
    init(_ configuration: ReactorConfiguration, count: Int) throws(ReactorError) {
        var how = cairn_listening()
        how.backlog = Int32(clamping: configuration.backlog)
        how.shared = count > 1 ? 1 : 0
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
        sockets = Mutex(opened)
    }

    deinit { closeAll() }

    /// Hands the sockets over: who takes them closes them.
    func take() -> [Int32] {
        sockets.withLock { sockets in
            defer { sockets = [] }
            return sockets
        }
    }

    private func closeAll() {
        for socket in take() { _ = close(socket) }
    }
}
