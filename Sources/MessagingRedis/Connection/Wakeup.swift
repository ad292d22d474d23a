import CLinux
import Glibc

/// Wakes a thread that waits for its connection, from any other.
final class Wakeup: Sendable {
    private let reader: Int32
    private let writer: Int32

    init() throws(RedisError) {
        var ends: [Int32] = [0, 0]
        guard cairn_pipe(&ends) == 0 else {
            throw RedisError(.unsuitable, "can't make a pipe: \(String(cString: strerror(errno)))")
        }
        reader = ends[0]
        writer = ends[1]
    }

    deinit {
        Glibc.close(reader)
        Glibc.close(writer)
    }

    /// Wakes the thread. A pipe that is full has woken it already.
    func raise() {
        var byte: UInt8 = 1
        _ = write(writer, &byte, 1)
    }

    /// Waits until it is raised, or until there is something to read from another descriptor, or some time has passed.
    /// - Returns: Whether there is something to read from the other.
    func wait(_ patience: Duration, or descriptor: Int32? = nil) -> Bool {
        var entries = [pollfd(fd: reader, events: Int16(POLLIN), revents: 0)]
        if let descriptor { entries.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)) }
        guard poll(&entries, nfds_t(entries.count), max(.zero, patience).milliseconds) > 0 else { return false }
        if entries[0].revents != 0 {
            var bytes = [UInt8](repeating: 0, count: 256)
            while read(reader, &bytes, bytes.count) == bytes.count {}
        }
        return entries.count > 1 && entries[1].revents != 0
    }
}
