import CLinux
import Glibc
import Storage
import Synchronization

extension LocalPackRegion {
    /// Makes the region ready unless it is. What was opened before is dropped when the directory is another one now:
    /// a disk that was taken away and has come back.
    func openNow() throws(StorageError) {
        if let lock = state.withLock({ $0.lock }) {
            if lock.isStill(at: folder.lock) { return }
            cache.dropAll()
            state.withLock { $0 = State() }
        }
        try ensureMark()
        try makeFolders()
        let lock = try explaining(folder.lock) { () throws(SystemCallFailure) in
            try OpenFile(folder.lock, O_RDWR | O_CREAT, calls)
        }
        if cairn_lock_exclusive(lock.descriptor) != 0 {
            guard errno == EAGAIN || errno == EACCES else {
                throw StorageError(SystemCallFailure("fcntl", errno: errno), on: folder.lock, in: folder.directory)
            }
            throw StorageError(.inUse, "another process uses \(folder.directory)", cause: "\(folder.lock) is locked")
        }
        state.withLock { $0.lock = lock }
    }

    /// Opens the region should it not be; afterwards it is only looked at again by ``open()``.
    func ensureOpen() throws(StorageError) {
        if state.withLock({ $0.lock == nil }) {
            throw StorageError(.unavailable, "\(folder.directory) is not open")
        }
    }

    /// Tells a pack that is missing from a disk that is missing.
    func ensurePresent() throws(StorageError) {
        guard let lock = state.withLock({ $0.lock }), lock.isStill(at: folder.lock) else {
            throw StorageError(.unavailable, "\(folder.directory) is not there any more")
        }
    }

    func makeFolders() throws(StorageError) {
        for path in parents(of: folder.directory) + [folder.packs, folder.notes] { try makeFolder(path) }
    }

    /// The directory and the folders around it, outermost first.
    private func parents(of path: String) -> [String] {
        let parts = path.split(separator: "/")
        let root = path.hasPrefix("/") ? "/" : ""
        return parts.indices.map { root + parts[...$0].joined(separator: "/") }
    }

    /// Makes a folder durable, with its entry in the one around it.
    func makeFolder(_ path: String) throws(StorageError) {
        try explaining(path) { () throws(SystemCallFailure) in
            if try folder.size(path) != nil { return }
            do throws(SystemCallFailure) {
                try calls.makeFolder(path)
            } catch {
                // Someone else may have been faster.
                if error.errno != EEXIST { throw error }
            }
            try syncFolder(around: path)
        }
    }

    /// Syncs the entries of the folder that holds a path.
    func syncFolder(around path: String) throws(SystemCallFailure) {
        let parent = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let file = try OpenFile(parent, O_RDONLY | O_DIRECTORY, calls)
        try calls.sync(file.descriptor)
    }
}
