import Glibc
import Storage

extension StorageError {
    /// What a failed system call on a path means for the store.
    init(_ failure: SystemCallFailure, on path: String, in directory: String) {
        let reason = String(cString: strerror(failure.errno))
        let cause = "\(failure.call): \(reason)"
        switch failure.errno {
        case ENOSPC, EDQUOT:
            self.init(.full, "no room left in \(directory)", cause: cause)
        case EROFS:
            self.init(.readOnly, "\(directory) is read-only", cause: cause)
        case ENOENT, ENOTDIR, EACCES, EPERM, ESTALE, ENODEV, ENXIO, ENOTCONN, EMFILE, ENFILE, ENOMEM:
            self.init(.unavailable, "\(path) can't be used", cause: cause)
        default:
            self.init(.io, "\(path) failed", cause: cause)
        }
    }
}
