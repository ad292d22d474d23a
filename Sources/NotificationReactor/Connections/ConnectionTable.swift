import Glibc

/// The connections of a file table, by descriptor: memory that the kernel gives page by page as it is touched.
///
/// Sendable although it is written without a lock: loops that share a file table share this one too, and each place
/// belongs to the loop whose descriptor it is. The kernel does not give a number to one loop before another has closed it.
final class ConnectionTable: @unchecked Sendable {
    /// No descriptor from here on has a place.
    let count: Int
    private let memory: UnsafeMutablePointer<Connection>
    private let byteCount: Int

    /// Makes a table of places that are all free.
    /// - Throws: ``ReactorError/system(_:_:)`` when the kernel has no memory.
    init(count: Int) throws(ReactorError) {
        self.count = count
        byteCount = max(1, count) * MemoryLayout<Connection>.stride
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        guard let mapped = mmap(nil, byteCount, PROT_READ | PROT_WRITE, flags, -1, 0), mapped != MAP_FAILED else {
            throw .system("the table of connections", errno)
        }
        memory = mapped.assumingMemoryBound(to: Connection.self)
    }

    deinit { munmap(memory, byteCount) }

    /// The place of a descriptor below ``count``. Where nothing was written yet all bytes are 0, and so is
    /// ``Connection/State/free``.
    subscript(descriptor: Int32) -> UnsafeMutablePointer<Connection> { memory + Int(descriptor) }
}
