import Glibc
public import Model
import Storage
import Synchronization

/// What changes files. All of it runs on the region's one writing thread.
extension LocalPackRegion {
    /// Makes an empty pack: the file and its entry are durable.
    public func create(_ pack: PackID) async throws {
        try await writing.run {
            try self.ensureOpen()
            try self.makeFolderOnce(self.folder.folder(of: pack))
            if try self.findNow(pack) != nil { throw StorageError(.io, "pack \(pack) exists in \(self.name)") }
            let path = self.folder.unsealed(pack)
            let file = try self.explaining(path) { () throws(SystemCallFailure) in
                let file = try OpenFile(path, O_RDWR | O_CREAT | O_EXCL, self.calls)
                try self.calls.sync(file.descriptor)
                try self.syncFolder(around: path)
                return file
            }
            self.state.withLock { $0.writer = (pack, file) }
        }
    }

    /// Writes and syncs.
    public func write(_ bytes: [UInt8], to pack: PackID, at offset: UInt64) async throws {
        try await writing.run {
            try self.ensureOpen()
            let file = try self.openForWriting(pack)
            do throws(StorageError) {
                try self.explaining(self.folder.unsealed(pack)) { () throws(SystemCallFailure) in
                    try file.write(bytes, at: offset)
                    try self.calls.syncData(file.descriptor)
                }
            } catch {
                // The kernel reports a failed sync once for each descriptor: this one is of no use any more.
                self.state.withLock { $0.writer = nil }
                throw error
            }
        }
    }

    /// Cuts a pack.
    public func truncate(_ pack: PackID, to size: UInt64) async throws {
        try await writing.run {
            try self.ensureOpen()
            let file = try self.openForWriting(pack)
            try self.explaining(self.folder.unsealed(pack)) { () throws(SystemCallFailure) in
                try self.cut(file, to: size)
                try self.calls.sync(file.descriptor)
            }
        }
    }

    /// Cuts a pack, syncs all of it, and gives it the name of a complete one.
    public func seal(_ pack: PackID, at size: UInt64) async throws {
        try await writing.run {
            try self.ensureOpen()
            let file = try self.openForWriting(pack)
            self.state.withLock { $0.writer = nil }
            let present = try self.explaining(self.folder.unsealed(pack)) { () throws(SystemCallFailure) in
                try file.size()
            }
            if present < size {
                throw StorageError(
                    .corrupt, "pack \(pack) has \(present) bytes in \(self.name), \(size) were acknowledged")
            }
            try self.explaining(self.folder.unsealed(pack)) { () throws(SystemCallFailure) in
                try self.cut(file, to: size)
                // What a killed process had written and not synced may be counted among the records by now.
                try self.calls.sync(file.descriptor)
                if try self.folder.size(self.folder.unsealed(pack)) != nil {
                    try self.calls.rename(self.folder.unsealed(pack), self.folder.sealed(pack))
                }
                try self.syncFolder(around: self.folder.sealed(pack))
            }
        }
    }

    /// Removes the file of a pack.
    public func delete(_ pack: PackID) async throws {
        try await writing.run {
            try self.ensureOpen()
            self.cache.drop(pack)
            self.state.withLock { if $0.writer?.pack == pack { $0.writer = nil } }
            guard try self.findNow(pack) != nil else { return }
            try self.explaining(self.folder.sealed(pack)) { () throws(SystemCallFailure) in
                for path in [self.folder.unsealed(pack), self.folder.sealed(pack)]
                where try self.folder.size(path) != nil { try self.calls.unlink(path) }
                try self.syncFolder(around: self.folder.sealed(pack))
            }
        }
    }

    private func cut(_ file: OpenFile, to size: UInt64) throws(SystemCallFailure) {
        if try file.size() > size { try calls.truncate(file.descriptor, to: size) }
    }

    private func makeFolderOnce(_ path: String) throws(StorageError) {
        if state.withLock({ $0.folders.contains(path) }) { return }
        try makeFolder(path)
        state.withLock { _ = $0.folders.insert(path) }
    }

    private func openForWriting(_ pack: PackID) throws(StorageError) -> OpenFile {
        let last = state.withLock { $0.writer?.pack == pack ? $0.writer?.file : nil }
        if let last { return last }
        guard let found = try findNow(pack) else {
            throw StorageError(.notFound, "\(folder.directory) has no pack \(pack)")
        }
        let path = found.isSealed ? folder.sealed(pack) : folder.unsealed(pack)
        let file = try explaining(path) { () throws(SystemCallFailure) in try OpenFile(path, O_RDWR, calls) }
        // The pack that grows keeps its place: a repair of another one now and then does not take it.
        if !found.isSealed { state.withLock { $0.writer = (pack, file) } }
        return file
    }
}
