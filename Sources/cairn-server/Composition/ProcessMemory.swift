import CLinux

/// How the server's allocator keeps memory.
enum ProcessMemory {
    /// Two arenas are enough for as many threads as work on blocks at once; each keeps what it once held.
    private static let arenas: Int32 = 2
    /// Buffers of whole messages and the memory of password hashing are mapped; single blocks are not, since fresh
    /// pages for each would cost more than the work on it.
    private static let mappedFrom: Int32 = 1 << 20
    private static let kept: Int32 = 4 << 20

    /// Sets the bounds. To be called before there are threads.
    static func bound() {
        cairn_bound_arenas(arenas)
        cairn_return_memory(mappedFrom, kept)
    }
}
