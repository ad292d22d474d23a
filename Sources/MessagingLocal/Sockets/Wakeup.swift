import CLinux
import Glibc
import Synchronization

/// Wakes a thread that waits for descriptors, from any other.
final class Wakeup: Sendable {
    /// Becomes readable when somebody calls.
    let descriptor: Int32
    private let caller: Int32
    private let isRaised = Atomic(false)

    init() throws(BusSocketError) {
        var ends: [Int32] = [0, 0]
        guard cairn_pipe(&ends) == 0 else { throw .system("can't make a pipe", errno) }
        descriptor = ends[0]
        caller = ends[1]
    }

    deinit {
        close(descriptor)
        close(caller)
    }

    /// Wakes the thread; to be called after what it shall see was written down.
    func raise() {
        guard !isRaised.exchange(true, ordering: .acquiringAndReleasing) else { return }
        var byte: UInt8 = 1
        // The pipe holds one byte at most, so there is always room.
        _ = write(caller, &byte, 1)
    }

    /// Begins anew; to be called before the thread looks at what was written down.
    func clear() {
        var byte: UInt8 = 0
        while read(descriptor, &byte, 1) == 1 {}
        isRaised.store(false, ordering: .sequentiallyConsistent)
    }
}
