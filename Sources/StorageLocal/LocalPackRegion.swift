public import Model
public import Storage
import Synchronization

/// Keeps packs as files below one directory of this machine.
///
/// One process at a time may use the directory: a lock that the kernel lets go when the process ends sees to that.
/// Everything that changes something runs on one thread of the region's own, reads on a few others.
public final class LocalPackRegion: PackRegion {
    struct State: Sendable {
        /// Held as long as the region is open: it bears the lock.
        var lock: OpenFile?
        /// Sub-folders that are known to be durable.
        var folders: Set<String> = []
        /// The pack that was written last.
        var writer: (pack: PackID, file: OpenFile)?
    }

    let folder: PackFolder
    let identity: RegionID?
    let calls: any FileCalls
    let writing: FileQueue
    let reading: FileQueue
    let cache: DescriptorCache
    let state = Mutex(State())

    /// The path of the directory.
    public var name: String { folder.directory }

    /// Names a directory; it is made and locked by ``open()``.
    /// - Parameters:
    ///   - directory: Its path.
    ///   - identity: The region that it has to be, by its mark; nil when any directory will do.
    ///   - openFiles: How many files of packs may be kept open for reading.
    ///   - readers: How many reads may be under way at once.
    public convenience init(
        directory: String, identity: RegionID? = nil, openFiles: Int = 128, readers: Int = 4
    ) {
        self.init(
            directory: directory, identity: identity, calls: LinuxFileCalls(), openFiles: openFiles, readers: readers)
    }

    /// Names a directory on a disk of a test's own.
    package init(
        directory: String, identity: RegionID? = nil, calls: any FileCalls, openFiles: Int = 128, readers: Int = 4
    ) {
        precondition(openFiles > 0 && readers > 0, "a region needs a file and a thread to read")
        folder = PackFolder(directory: directory)
        self.identity = identity
        self.calls = calls
        writing = FileQueue(label: "cairn.storage.write", threads: 1)
        reading = FileQueue(label: "cairn.storage.read", threads: readers)
        cache = DescriptorCache(capacity: openFiles)
    }

    /// Makes the directory when it is missing, and locks it.
    public func open() async throws {
        try await writing.run { try self.openNow() }
    }

    /// All packs of the directory.
    public func list() async throws -> [PackSummary] {
        try await reading.run {
            try self.ensureOpen()
            return try self.explaining(self.folder.packs) { () throws(SystemCallFailure) in try self.folder.list() }
        }
    }

    /// What is known of one pack.
    public func find(_ pack: PackID) async throws -> PackSummary? {
        try await reading.run {
            try self.ensureOpen()
            return try self.findNow(pack)
        }
    }

    /// Lets the directory go.
    public func close() async throws {
        // Reads that are under way keep their files until they are done.
        try await writing.run {
            self.cache.dropAll()
            self.state.withLock { $0 = State() }
        }
    }

    /// Turns a failed call into what it means for the store.
    func explaining<Answer>(
        _ path: String, _ body: () throws(SystemCallFailure) -> Answer
    ) throws(StorageError) -> Answer {
        do throws(SystemCallFailure) {
            return try body()
        } catch {
            throw StorageError(error, on: path, in: folder.directory)
        }
    }

    /// What there is of a pack; nil only when the directory itself is there.
    func findNow(_ pack: PackID) throws(StorageError) -> PackSummary? {
        let found = try explaining(folder.sealed(pack)) { () throws(SystemCallFailure) in try folder.find(pack) }
        if found == nil { try ensurePresent() }
        return found
    }
}
