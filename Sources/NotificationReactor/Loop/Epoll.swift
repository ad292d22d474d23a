import CLinux
import Glibc

/// The kernel's list of what a loop waits for, and the events of one round.
struct Epoll: ~Copyable {
    /// What is watched for connections, edge by edge: the loop is told once of what comes, and need not change its mind
    /// with every poll that it parks.
    static let connection = EPOLLIN.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue
    /// As ``connection``, and room to send.
    static let sending = connection | EPOLLOUT.rawValue
    /// What is watched for listeners: as long as connections wait, each round says so.
    static let listener = EPOLLIN.rawValue
    /// What is watched for mailboxes.
    static let mailbox = EPOLLIN.rawValue | EPOLLET.rawValue

    private static let roundLength = 512

    private let descriptor: Int32
    private let events: UnsafeMutablePointer<epoll_event>

    /// Makes a list of nothing.
    /// - Throws: ``ReactorError/system(_:_:)``.
    init() throws(ReactorError) {
        let made = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard made >= 0 else { throw .system("epoll", errno) }
        descriptor = made
        events = .allocate(capacity: Self.roundLength)
        events.initialize(repeating: epoll_event(), count: Self.roundLength)
    }

    deinit {
        close(descriptor)
        events.deallocate()
    }

    /// Begins to watch. 0, or the `errno`.
    func add(_ watched: Int32, for interest: UInt32) -> Int32 { control(EPOLL_CTL_ADD, watched, interest) }

    /// Watches for something else; what holds now is told again.
    func change(_ watched: Int32, to interest: UInt32) -> Int32 { control(EPOLL_CTL_MOD, watched, interest) }

    /// Stops watching what stays open.
    func remove(_ watched: Int32) { _ = control(EPOLL_CTL_DEL, watched, 0) }

    /// Waits until something happens, or so many milliseconds, or for ever when below 0.
    /// - Returns: How many events there are.
    func wait(milliseconds: Int32) -> Int {
        // Interrupted by a signal, there was none.
        max(0, Int(epoll_wait(descriptor, events, Int32(Self.roundLength), milliseconds)))
    }

    /// An event of the last round: whose it is, and what happened.
    func event(_ index: Int) -> (descriptor: Int32, happened: UInt32) {
        (events[index].data.fd, events[index].events)
    }

    private func control(_ operation: Int32, _ watched: Int32, _ interest: UInt32) -> Int32 {
        var event = epoll_event()
        event.events = interest
        event.data.fd = watched
        return epoll_ctl(descriptor, operation, watched, &event) == 0 ? 0 : errno
    }
}
