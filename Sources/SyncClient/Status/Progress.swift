import Synchronization

/// How far a pass is.
public struct Progress: Hashable, Sendable {
    /// What a pass is doing.
    public enum Phase: String, Hashable, Sendable {
        /// Nothing.
        case idle
        /// Asking the server what changed.
        case fetching = "asking the server"
        /// Looking through the folder.
        case scanning = "looking"
        /// Reading files that changed.
        case reading = "reading"
        /// Sending changes.
        case sending = "sending"
        /// Fetching and placing what changed elsewhere.
        case receiving = "receiving"
    }

    /// What is being done.
    public var phase = Phase.idle
    /// Files of this phase that are done.
    public var filesDone: UInt64 = 0
    /// Files of this phase, as far as known; 0 while unknown.
    public var filesTotal: UInt64 = 0
    /// Bytes of this phase that are done.
    public var bytesDone: UInt64 = 0
    /// Bytes of this phase, as far as known; 0 while unknown.
    public var bytesTotal: UInt64 = 0

    /// Makes a state in which nothing is done.
    public init() {}

    /// How much of the phase is done, from 0 to 1, by bytes and else by files; nil while unknown.
    public var share: Double? {
        let (done, total) = bytesTotal > 0 ? (bytesDone, bytesTotal) : (filesDone, filesTotal)
        return total > 0 ? min(1, Double(done) / Double(total)) : nil
    }
}

/// Where the engine notes its progress and whoever shows it looks.
public final class ProgressBoard: Sendable {
    private let state = Mutex(Progress())

    /// Makes a board that shows nothing.
    public init() {}

    /// The progress now.
    public var current: Progress { state.withLock { $0 } }

    func begin(_ phase: Progress.Phase, files: Int = 0, bytes: UInt64 = 0) {
        state.withLock {
            $0 = Progress()
            $0.phase = phase
            $0.filesTotal = UInt64(files)
            $0.bytesTotal = bytes
        }
    }

    /// Notes that so many bytes of the phase are done, those among them that did not have to travel.
    func reach(bytes: UInt64) {
        state.withLock { $0.bytesDone = max($0.bytesDone, bytes) }
    }

    func advance(files: Int = 0, bytes: UInt64 = 0) {
        state.withLock {
            $0.filesDone += UInt64(files)
            $0.bytesDone += bytes
        }
    }
}
