import CLinux
import Glibc

/// A thread of the system. Work that waits in the kernel for most of its time has no place on the pool of Swift's tasks.
enum ReactorThread {
    private final class Work {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Starts a thread that does `work` and ends.
    /// - Throws: ``ReactorError/system(_:_:)``.
    static func start(_ work: @escaping @Sendable () -> Void) throws(ReactorError) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        var thread = pthread_t()
        let handed = Unmanaged.passRetained(Work(work))
        let failure = pthread_create(&thread, &attributes, begin, handed.toOpaque())
        guard failure == 0 else {
            handed.release()
            throw .system("a thread", failure)
        }
    }

    private static let begin: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { handed in
        if let handed { Unmanaged<Work>.fromOpaque(handed).takeRetainedValue().run() }
        return nil
    }

    /// Gives the calling thread a file table of its own that holds, of what is open, the standard streams and `kept` alone.
    ///
    /// From then on code that the thread calls must not use a descriptor that another thread opened, and none does: it logs
    /// to the standard streams, and wakes others by their mailboxes.
    /// - Throws: ``ReactorError/system(_:_:)``.
    static func ownFiles(keeping kept: [Int32]) throws(ReactorError) {
        guard cairn_unshare_files() == 0 else { throw .system("a file table of a thread's own", errno) }
        var next: UInt32 = 3
        for descriptor in kept.map(UInt32.init).sorted() where descriptor >= next {
            if descriptor > next { try close(from: next, to: descriptor - 1) }
            next = descriptor + 1
        }
        try close(from: next, to: .max)
    }

    private static func close(from first: UInt32, to last: UInt32) throws(ReactorError) {
        guard cairn_close_range(first, last) == 0 else { throw .system("closing what other threads opened", errno) }
    }
}
