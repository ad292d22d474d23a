import Foundation
public import Messaging
import Synchronization

/// Carries the bus of a server process to other processes on the same machine, over a Unix socket.
///
/// Every message on the bus goes to each process that is connected, and what they publish goes to the bus. A process that
/// reads too slowly is cut off, so that the bus never waits: it connects again and sees a gap. All input and output is done
/// by one thread of the server's own.
public final class SocketBusServer: Sendable {
    private let shared: BusServerState
    private let subscription: BusSubscription
    private let path: String
    private let end: ThreadEnd

    /// Listens at a path, for processes of the same user. A socket that a killed server left there is replaced; the
    /// caller makes sure that no other server uses the path.
    /// - Parameters:
    ///   - path: where to listen; the name at its end is of at most 60 bytes.
    ///   - bus: the bus that is carried.
    ///   - limits: the bounds.
    ///   - report: told of each process that is cut off, and why; called on the server's thread.
    /// - Throws: ``BusSocketError`` `system`.
    public init(
        path: String, bus: InProcessChangeBus, limits: SocketBusLimits = SocketBusLimits(),
        report: @escaping @Sendable (BusSocketError) -> Void = { _ in }
    ) throws {
        let shared = BusServerState(wakeup: try Wakeup(), backlog: limits.backlog)
        let listener = try LocalSocket.listen(at: path, backlog: Int32(clamping: limits.peers))
        self.path = path
        self.shared = shared
        subscription = bus.subscribe { shared.forward($0) }
        end = ThreadEnd()
        let thread = Thread { [end] in
            var work = BusServerThread(listener: listener, bus: bus, shared: shared, limits: limits, report: report)
            work.run()
            end.note()
        }
        thread.name = "cairn-bus"
        thread.start()
    }

    deinit { shared.close() }

    /// How many processes are connected.
    public var peerCount: Int { shared.peerCount }

    /// Hangs up on everybody, takes the socket away, and waits for the thread to end.
    public func close() async {
        subscription.cancel()
        unlink(path)
        shared.close()
        await end.wait()
    }
}
