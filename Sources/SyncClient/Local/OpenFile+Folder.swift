import CLinux
import Glibc
import Model

/// Calls `body` with a name as the C library takes it.
func withCName<Answer>(
    _ name: some Collection<UInt8>, _ body: (UnsafePointer<CChar>) throws -> Answer
) rethrows -> Answer {
    try withUnsafeTemporaryAllocation(of: CChar.self, capacity: name.count + 1) { buffer in
        for (index, byte) in name.enumerated() { buffer[index] = CChar(bitPattern: byte) }
        buffer[name.count] = 0
        return try body(UnsafePointer(buffer.baseAddress.unsafelyUnwrapped))
    }
}

/// What can be done in an open folder, by name. A name is one entry of it, never a path.
extension OpenFile {
    /// Opens a folder by its absolute path. The last name may not be a symbolic link.
    static func folder(absolute path: LocalPath) throws -> OpenFile {
        let descriptor = withCName(path.bytes) {
            cairn_openat(AT_FDCWD, $0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0)
        }
        guard descriptor >= 0 else { throw ClientError.system("open the folder", path, errno: errno) }
        return OpenFile(descriptor: descriptor, path: path)
    }

    /// Opens the folder at a path below this one, no symbolic link on the way.
    func folder(at path: LocalPath) throws -> OpenFile {
        if path.isRoot { return try reopened() }
        let descriptor = withCName(path.bytes) { cairn_open_beneath(self.descriptor, $0, O_RDONLY | O_DIRECTORY) }
        if descriptor >= 0 { return OpenFile(descriptor: descriptor, path: self.path.appending(path.bytes)) }
        switch errno {
        // The path is longer than a call takes, or the kernel does not know the call.
        case ENAMETOOLONG, ENOSYS, EPERM: return try folderByNames(path)
        case let number: throw ClientError.system("open the folder", self.path.appending(path.bytes), errno: number)
        }
    }

    private func folderByNames(_ path: LocalPath) throws -> OpenFile {
        var current = self
        for component in path.components { current = try current.open(component, O_RDONLY | O_DIRECTORY) }
        return current
    }

    /// Another handle of the same folder, with a reading position of its own.
    func reopened() throws -> OpenFile {
        let descriptor = cairn_openat(self.descriptor, ".", O_RDONLY | O_DIRECTORY, 0)
        guard descriptor >= 0 else { throw failure("open the folder") }
        return OpenFile(descriptor: descriptor, path: path)
    }

    /// Opens an entry, never through a symbolic link.
    func open(_ name: some Collection<UInt8>, _ flags: Int32, permissions: mode_t = 0) throws -> OpenFile {
        let descriptor = withCName(name) { cairn_openat(self.descriptor, $0, flags | O_NOFOLLOW, permissions) }
        guard descriptor >= 0 else { throw failure("open", name) }
        return OpenFile(descriptor: descriptor, path: path.appending(name))
    }

    /// What an entry is; nil when there is none of that name.
    func status(of name: some Collection<UInt8>) throws -> Fingerprint? {
        var status = cairn_stat()
        if withCName(name, { cairn_statat(descriptor, $0, &status) }) == 0 { return Fingerprint(status) }
        if errno == ENOENT { return nil }
        throw failure("look at", name)
    }

    /// As ``status(of:)``, of a name that has a NUL behind it already.
    func status(ofCName name: UnsafePointer<CChar>) throws -> Fingerprint? {
        var status = cairn_stat()
        if cairn_statat(descriptor, name, &status) == 0 { return Fingerprint(status) }
        if errno == ENOENT { return nil }
        throw failure("look at", UnsafeRawBufferPointer(start: name, count: strlen(name)))
    }

    func makeFolder(_ name: some Collection<UInt8>, permissions: UInt16) throws {
        guard withCName(name, { mkdirat(descriptor, $0, mode_t(permissions)) }) == 0 else {
            throw failure("make the folder", name)
        }
    }

    func makeSymlink(_ name: some Collection<UInt8>, target: [UInt8]) throws {
        let result = withCName(target) { target in withCName(name) { symlinkat(target, descriptor, $0) } }
        guard result == 0 else { throw failure("make the link", name) }
    }

    /// The bytes that a symbolic link points to.
    func target(of name: some Collection<UInt8>) throws -> [UInt8] {
        // No link is longer than a path may be, so what fills the buffer to its end can't happen.
        try withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX) + 1) { buffer in
            let length = withCName(name) {
                readlinkat(descriptor, $0, buffer.baseAddress.unsafelyUnwrapped, buffer.count)
            }
            guard length >= 0 else { throw failure("read the link", name) }
            return buffer[..<length].map { UInt8(bitPattern: $0) }
        }
    }

    /// Moves an entry to a name that nothing has.
    func rename(_ name: some Collection<UInt8>, to folder: OpenFile, _ other: some Collection<UInt8>) throws {
        let result = withCName(name) { from in
            withCName(other) { cairn_rename_noreplace(descriptor, from, folder.descriptor, $0) }
        }
        guard result == 0 else { throw failure("move", name, "to", folder, other) }
    }

    /// Swaps two entries in one step.
    func exchange(_ name: some Collection<UInt8>, with folder: OpenFile, _ other: some Collection<UInt8>) throws {
        let result = withCName(name) { from in
            withCName(other) { cairn_rename_exchange(descriptor, from, folder.descriptor, $0) }
        }
        guard result == 0 else { throw failure("swap", name, "with", folder, other) }
    }

    func removeFile(_ name: some Collection<UInt8>) throws {
        guard withCName(name, { unlinkat(descriptor, $0, 0) }) == 0 else { throw failure("remove", name) }
    }

    /// Removes an empty folder.
    func removeFolder(_ name: some Collection<UInt8>) throws {
        guard withCName(name, { unlinkat(descriptor, $0, AT_REMOVEDIR) }) == 0 else {
            throw failure("remove the folder", name)
        }
    }

    /// Sets the modification time of an entry, of a symbolic link too.
    func setModified(_ nanoseconds: Int64, of name: some Collection<UInt8>) throws {
        guard withCName(name, { cairn_set_times(descriptor, $0, nanoseconds) }) == 0 else {
            throw failure("set the time of", name)
        }
    }

    private func failure(_ doing: String, _ name: some Collection<UInt8>) -> ClientError {
        let number = errno
        return .system(doing, path.appending(name), errno: number)
    }

    private func failure(
        _ doing: String, _ name: some Collection<UInt8>, _ with: String, _ folder: OpenFile,
        _ other: some Collection<UInt8>
    ) -> ClientError {
        let number = errno
        return .system("\(doing) '\(path.appending(name))' \(with)", folder.path.appending(other), errno: number)
    }
}
