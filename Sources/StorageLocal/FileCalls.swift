import Glibc

/// A failed system call.
package struct SystemCallFailure: Error, Hashable {
    /// The name of the call.
    package let call: String
    /// What the kernel said.
    package let errno: Int32

    /// Makes a failure of its parts.
    package init(_ call: String, errno: Int32) {
        self.call = call
        self.errno = errno
    }
}

/// The system calls that change files: what a region's durability rests on. Tests put a disk of their own below.
package protocol FileCalls: Sendable {
    /// `open`, always with `O_CLOEXEC`.
    func open(_ path: String, _ flags: Int32) throws(SystemCallFailure) -> Int32
    /// `close`.
    func close(_ file: Int32)
    /// `pwrite`: how many bytes were written, which may be fewer than asked.
    func write(_ file: Int32, _ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(SystemCallFailure) -> Int
    /// `fdatasync`: the bytes of a file and its size.
    func syncData(_ file: Int32) throws(SystemCallFailure)
    /// `fsync`: a file, or the entries of a folder.
    func sync(_ file: Int32) throws(SystemCallFailure)
    /// `ftruncate`.
    func truncate(_ file: Int32, to size: UInt64) throws(SystemCallFailure)
    /// `rename`.
    func rename(_ old: String, _ new: String) throws(SystemCallFailure)
    /// `unlink`.
    func unlink(_ path: String) throws(SystemCallFailure)
    /// `mkdir`.
    func makeFolder(_ path: String) throws(SystemCallFailure)
}

/// The kernel's own calls.
package struct LinuxFileCalls: FileCalls {
    /// Makes the value.
    package init() {}

    /// Opens a file with mode 0600 should it be made.
    package func open(_ path: String, _ flags: Int32) throws(SystemCallFailure) -> Int32 {
        Int32(try repeating("open") { Int(Glibc.open(path, flags | O_CLOEXEC, 0o600)) })
    }

    /// Closes a file; a failure to do so means nothing for what was synced.
    package func close(_ file: Int32) { _ = Glibc.close(file) }

    /// Writes at an offset.
    package func write(
        _ file: Int32, _ bytes: UnsafeRawBufferPointer, at offset: UInt64
    ) throws(SystemCallFailure) -> Int {
        try repeating("pwrite") { pwrite(file, bytes.baseAddress, bytes.count, off_t(offset)) }
    }

    /// Syncs what is needed to read the file back.
    package func syncData(_ file: Int32) throws(SystemCallFailure) {
        // Not repeated on EINTR or anything else: after a failed sync the kernel may have dropped the pages.
        if fdatasync(file) != 0 { throw SystemCallFailure("fdatasync", errno: errno) }
    }

    /// Syncs everything about a file.
    package func sync(_ file: Int32) throws(SystemCallFailure) {
        if fsync(file) != 0 { throw SystemCallFailure("fsync", errno: errno) }
    }

    /// Sets the size of a file.
    package func truncate(_ file: Int32, to size: UInt64) throws(SystemCallFailure) {
        _ = try repeating("ftruncate") { Int(ftruncate(file, off_t(size))) }
    }

    /// Renames, replacing what is there.
    package func rename(_ old: String, _ new: String) throws(SystemCallFailure) {
        _ = try repeating("rename") { Int(Glibc.rename(old, new)) }
    }

    /// Removes a name.
    package func unlink(_ path: String) throws(SystemCallFailure) {
        _ = try repeating("unlink") { Int(Glibc.unlink(path)) }
    }

    /// Makes a folder that only its owner may enter.
    package func makeFolder(_ path: String) throws(SystemCallFailure) {
        _ = try repeating("mkdir") { Int(mkdir(path, 0o700)) }
    }

    private func repeating(_ name: String, _ call: () -> Int) throws(SystemCallFailure) -> Int {
        while true {
            let answer = call()
            if answer >= 0 { return answer }
            if errno != EINTR { throw SystemCallFailure(name, errno: errno) }
        }
    }
}
