import Foundation
public import Messaging
import Synchronization

/// The bus of a server on the same machine, as another process hears it through a Unix socket.
///
/// The events are numbered anew in this process. After each connection, the first one too, and whenever the server's own
/// numbers show a gap, a number is left out: the receivers see at once, by a message without news, that they may have
/// missed some. A lost connection is made again, with growing pauses and full jitter.
public final class SocketChangeBus: ChangeBus {
    /// What became of the connection.
    public enum Connection: Hashable, Sendable {
        /// The server has greeted; from now on nothing is missed.
        case made
        /// There is none, for this reason; it is tried again. Told once, however often the attempts fail.
        case lost(BusSocketError)
    }

    private let local = InProcessChangeBus()
    private let shared: BusLinkState
    private let end = ThreadEnd()

    /// Begins to connect to a server.
    /// - Parameters:
    ///   - path: where it listens.
    ///   - limits: the bounds.
    ///   - generator: where the jitter of the pauses comes from.
    ///   - report: told of what becomes of the connection, on the bus's thread.
    /// - Throws: ``BusSocketError`` `system` when the process has no descriptors left.
    public init(
        path: String, limits: SocketBusLimits = SocketBusLimits(), generator: some RandomNumberGenerator & Sendable,
        report: @escaping @Sendable (Connection) -> Void = { _ in }
    ) throws {
        shared = BusLinkState(wakeup: try Wakeup(), capacity: limits.unpublished)
        let thread = Thread { [local, shared, end] in
            var work = BusLinkThread(path: path, local: local, shared: shared, limits: limits, report: report)
            var generator = generator
            work.run(&generator)
            end.note()
        }
        thread.name = "cairn-bus-link"
        thread.start()
    }

    deinit { shared.close() }

    /// Publishes a message through the server. It returns when the message has reached the server's bus; while there is no
    /// connection it returns at once, and the message goes out with the next connection or becomes a gap.
    public func publish(_ message: BusMessage) async {
        await withCheckedContinuation { shared.publish(message, $0) }
    }

    /// Adds a receiver, which is called on the bus's thread.
    public func subscribe(_ receive: @escaping @Sendable (BusEvent) -> Void) -> BusSubscription {
        local.subscribe(receive)
    }

    /// Hangs up, for good, and waits for the thread to end.
    public func close() async {
        shared.close()
        await end.wait()
    }
}
