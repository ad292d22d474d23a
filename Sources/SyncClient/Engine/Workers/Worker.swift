public import Blocks

/// What one thread of a ``WorkerPool`` has for itself: tools that keep a context from one use to the next.
public final class Worker {
    /// Compresses blocks.
    public private(set) lazy var encoder = BlockEncoder()
    /// Decompresses and verifies blocks.
    public private(set) lazy var decoder = BlockDecoder()

    init() {}
}
