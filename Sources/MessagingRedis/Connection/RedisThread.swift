import Foundation
import Glibc
import Messaging

/// A thread that may block, and whose end tasks can wait for.
final class RedisThread: Sendable {
    private let end = ThreadEnd()

    /// Begins to run.
    init(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let thread = Thread { [end] in
            // hiredis writes to sockets that may be closed: that is an error here, and no end of the process.
            var signals = sigset_t()
            sigemptyset(&signals)
            sigaddset(&signals, SIGPIPE)
            pthread_sigmask(SIG_BLOCK, &signals, nil)
            body()
            end.note()
        }
        thread.name = name
        thread.start()
    }

    /// Waits until it has ended.
    func wait() async { await end.wait() }
}
