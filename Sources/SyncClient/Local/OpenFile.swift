import CLinux
import Glibc
import Model

/// An open file or folder, closed with the last reference. The path is what messages call it.
///
/// All work on the linked folder starts from a handle of it and goes down by names: wherever a name turns out to be a
/// symbolic link, the call fails, so no link swapped in for a folder leads out of the linked folder.
final class OpenFile: Sendable {
    let descriptor: Int32
    let path: LocalPath

    init(descriptor: Int32, path: LocalPath) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit {
        close(descriptor)
    }

    /// What the file is now.
    func status() throws -> Fingerprint {
        var status = cairn_stat()
        guard cairn_statat(descriptor, "", &status) == 0 else { throw failure("look at") }
        return Fingerprint(status)
    }

    /// Reads from a position; 0 at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws -> Int {
        while true {
            let count = pread(descriptor, buffer.baseAddress, buffer.count, off_t(clamping: offset))
            if count >= 0 { return count }
            if errno != EINTR { throw failure("read") }
        }
    }

    /// Writes all of the bytes at a position.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws {
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            let count = pwrite(descriptor, rest.baseAddress, rest.count, off_t(clamping: offset + UInt64(done)))
            if count < 0 {
                if errno == EINTR { continue }
                throw failure("write")
            }
            done += count
        }
    }

    /// Makes the file that long; what is added reads as zeros and takes no room.
    func resize(_ size: UInt64) throws {
        guard ftruncate(descriptor, off_t(clamping: size)) == 0 else { throw failure("resize") }
    }

    func setPermissions(_ permissions: UInt16) throws {
        guard fchmod(descriptor, mode_t(permissions)) == 0 else { throw failure("set the permissions of") }
    }

    func setModified(_ nanoseconds: Int64) throws {
        guard cairn_set_file_times(descriptor, nanoseconds) == 0 else { throw failure("set the time of") }
    }

    /// Returns when the bytes of the file, or the names in the folder, outlive a power cut.
    func sync() throws {
        guard fsync(descriptor) == 0 else { throw failure("sync") }
    }

    /// Returns when everything on the file system outlives a power cut.
    func syncFileSystem() throws {
        guard cairn_syncfs(descriptor) == 0 else { throw failure("sync the disk of") }
    }

    /// The error of the call that just failed.
    func failure(_ doing: String) -> ClientError { .system(doing, path, errno: errno) }
}
