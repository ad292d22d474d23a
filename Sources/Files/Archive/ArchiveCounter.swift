import Synchronization

/// What an archive holds and has done since the start of the process.
public struct ArchiveCounts: Hashable, Sendable {
    /// Blocks in the archive when they were last counted.
    public var blocks = 0
    /// Their sealed bytes.
    public var bytes: Int64 = 0
    /// Requests that wait.
    public var waiting = 0
    /// Requests that are ready.
    public var ready = 0
    /// Requests of which some blocks could not be read.
    public var failed = 0
    /// Blocks that went to the archive.
    public var moved = 0
    /// Their sealed bytes before.
    public var movedBytes = 0
    /// Blocks that were brought back.
    public var broughtBack = 0
    /// Blocks that could not be moved because they are damaged.
    public var damaged = 0

    /// Makes counts that are all 0.
    public init() {}
}

/// Counts, from any task.
public final class ArchiveCounter: Sendable {
    private let state = Mutex(ArchiveCounts())

    /// The counts now.
    public var current: ArchiveCounts { state.withLock { $0 } }

    func change(_ body: (inout ArchiveCounts) -> Void) { state.withLock { body(&$0) } }
}
