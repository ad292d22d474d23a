import CLinux
import Glibc

/// Lets one process at a time work on a link. The kernel lets go of the lock when the process ends, however it ends.
final class LinkLock: Sendable {
    private let file: Int32

    /// - Throws: ``ClientError`` with code `busy` when another process has it.
    init(_ path: String, folder: String) throws {
        file = try Self.open(path)
        if cairn_lock_exclusive(file) != 0 {
            let number = errno
            close(file)
            if number == EWOULDBLOCK {
                throw ClientError(
                    .busy, "another cairn works on '\(folder)' ('cairn watch' perhaps, which keeps it in sync anyway)")
            }
            throw ClientError.system("lock", LocalPath(bytes: Array(path.utf8)), errno: number)
        }
    }

    deinit {
        close(file)
    }

    /// Whether some process has the lock.
    static func isHeld(_ path: String) -> Bool {
        guard let file = try? open(path) else { return false }
        defer { close(file) }
        return cairn_lock_exclusive(file) != 0
    }

    private static func open(_ path: String) throws -> Int32 {
        let file = cairn_openat(AT_FDCWD, path, O_RDWR | O_CREAT, 0o600)
        if file < 0 { throw ClientError.system("open", LocalPath(bytes: Array(path.utf8)), errno: errno) }
        return file
    }
}
