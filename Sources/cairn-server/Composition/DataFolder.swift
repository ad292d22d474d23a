import Foundation

/// The directory of one server: everything that it keeps, and the lock that makes it one server's.
struct DataFolder {
    let path: String

    var database: String { path + "/cairn.db" }
    /// The metadata from before it was moved to a database server.
    var former: String { path + "/cairn.db.before" }
    /// Says that the metadata is in a database server: what the directory has of it is of the past.
    var elsewhere: String { path + "/cairn.db.elsewhere" }
    var keyRing: String { path + "/keyring" }
    var packs: String { path + "/packs" }
    var queue: String { path + "/queue-1" }
    var secondQueue: String { path + "/queue-2" }
    /// Where the server's bus is heard by other processes on this machine.
    var bus: String { path + "/bus.sock" }
    private var lock: String { path + "/lock" }
    private var listening: String { path + "/listening" }

    /// Opens a data directory; with `create` it is made when it is missing.
    init(_ path: String, create: Bool) throws {
        self.path = path
        var status = stat()
        if stat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFDIR else {
                throw Failure(.configuration, "\(path) is not a directory")
            }
            return
        }
        guard create else { throw Failure(.configuration, "there is no data directory \(path)") }
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw Failure(creating: path, errno)
        }
    }

    /// Takes the directory for this process, until it ends.
    /// - Returns: the descriptor that bears the lock.
    func takeLock() throws -> Int32 {
        let descriptor = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure(creating: lock, errno) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw Failure(.unavailable, "another server uses \(path)")
        }
        return descriptor
    }

    /// Writes where the server listens, for programs that want to find it.
    func writeListening(_ address: String) throws {
        do {
            try Data("\(address)\n".utf8).write(to: URL(fileURLWithPath: listening), options: .atomic)
        } catch {
            throw Failure(.cannotCreate, "\(listening): \(error.localizedDescription)")
        }
    }

    /// Says that the server listens no more.
    func removeListening() { unlink(listening) }
}
