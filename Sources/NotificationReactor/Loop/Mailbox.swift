import CLinux
import Glibc
import Notifications
import Synchronization

/// Where the ends of polls wait for the loop that has their connections, and what wakes that loop.
final class Mailbox: Sendable {
    private struct State {
        var mail: [NotificationHub.Ended] = []
        var isPoked = false
        var isAsleep = false
        var isClosed = false

        /// Whether the sleeper has to be woken; it is taken to be awake from then on.
        mutating func wakes() -> Bool {
            defer { isAsleep = false }
            return isAsleep
        }
    }

    /// What the loop's epoll watches, edge by edge: it is written to wake the loop and never read.
    let descriptor: Int32
    private let state = Mutex(State())

    /// Makes an empty mailbox.
    /// - Throws: ``ReactorError/system(_:_:)``.
    init() throws(ReactorError) {
        descriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        guard descriptor >= 0 else { throw .system("an event descriptor", errno) }
    }

    deinit { _ = Glibc.close(descriptor) }

    /// Adds mail; the loop finds it, even when it falls asleep now.
    func post(_ ended: ArraySlice<NotificationHub.Ended>) {
        let wakes = state.withLock { state in
            guard !state.isClosed else { return false }
            state.mail += ended
            return state.wakes()
        }
        if wakes { ring() }
    }

    /// Makes the loop go round once.
    func poke() {
        let wakes = state.withLock { state in
            state.isPoked = true
            return state.wakes()
        }
        if wakes { ring() }
    }

    /// Whether the loop may sleep until something happens; false when there is something to do.
    func fallAsleep() -> Bool {
        state.withLock { state in
            state.isAsleep = state.mail.isEmpty && !state.isPoked
            state.isPoked = false
            return state.isAsleep
        }
    }

    /// Takes the mail, in exchange for an array that is emptied. The loop is awake from now on.
    func collect(into mail: inout [NotificationHub.Ended]) {
        mail.removeAll(keepingCapacity: true)
        state.withLock { state in
            state.isAsleep = false
            if !state.mail.isEmpty { swap(&state.mail, &mail) }
        }
    }

    /// Takes no mail any more.
    func close() {
        state.withLock { state in
            state.isClosed = true
            state.mail = []
        }
    }

    private func ring() {
        var one: UInt64 = 1
        // A counter that is full has rung already; there is no other way to fail.
        _ = write(descriptor, &one, MemoryLayout<UInt64>.size)
    }
}
