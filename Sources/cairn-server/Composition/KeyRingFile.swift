import Blocks
import Files
import Foundation
import Metadata

/// The server's master keys in a file that only its owner may read.
///
/// It is read anew each time: `key rotate` may add a key while the server runs.
struct KeyRingFile: KeyRingSource {
    let path: String

    /// Reads the file, or makes a first ring when there is none and no account was made yet.
    /// - Returns: the file, and whether it was made now.
    /// - Throws: ``Failure`` `configuration` when accounts exist but the file is gone: a new ring could not open their blocks.
    static func open(_ path: String, database: any MetadataDatabase) async throws -> (file: KeyRingFile, isNew: Bool) {
        let file = KeyRingFile(path: path)
        if access(path, F_OK) == 0 {
            _ = try file.keyRing()
            return (file, false)
        }
        guard try await database.read({ try AccountQueries($0).all().isEmpty }) else {
            throw Failure(
                .configuration,
                "\(path) is missing, but there are accounts whose blocks it opens: put back the copy of it that you keep"
            )
        }
        let isNew = try file.create(.generate())
        return (file, isNew)
    }

    /// Opens the keys of a process. Those of its data directory are made when there are none yet, and it is told. Those in a
    /// file that was named are the same for many processes: none makes its own.
    /// - Throws: as ``open(_:database:)``.
    static func open(_ path: String, isNamed: Bool, database: any MetadataDatabase) async throws -> KeyRingFile {
        guard !isNamed else {
            let file = KeyRingFile(path: path)
            _ = try file.keyRing()
            return file
        }
        let (file, isNew) = try await open(path, database: database)
        if isNew { Notes.keyRingMade(path) }
        return file
    }

    func keyRing() throws -> KeyRing {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw Failure(errno == EACCES ? .permission : .configuration, "\(path) can't be read")
        }
        do {
            return try KeyRing(parsing: text)
        } catch let error as BlocksError {
            throw Failure(
                .configuration, "\(path) is damaged: \(error.message); put back the copy of it that you keep")
        }
    }

    /// Puts a ring in the place of the one that is there, in one step and durably.
    func replace(with ring: KeyRing) throws {
        let draft = try write(ring)
        guard rename(draft, path) == 0 else { throw Failure(creating: path, errno) }
        try syncFolder()
    }

    /// Makes the file, unless it is there already.
    func create(_ ring: KeyRing) throws -> Bool {
        let draft = try write(ring)
        defer { unlink(draft) }
        guard link(draft, path) == 0 else {
            if errno == EEXIST { return false }
            throw Failure(creating: path, errno)
        }
        try syncFolder()
        return true
    }

    /// Writes the ring to a file of its own beside the path.
    private func write(_ ring: KeyRing) throws -> String {
        let draft = "\(path).\(getpid())"
        unlink(draft)
        let descriptor = Glibc.open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure(creating: draft, errno) }
        defer { close(descriptor) }
        let bytes = Array(ring.text.utf8)
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else {
            throw Failure(.inputOutput, "\(draft): \(String(cString: strerror(errno)))")
        }
        return draft
    }

    /// Without it a power cut could take the name away, and with it every account's blocks.
    private func syncFolder() throws {
        let parent = (path as NSString).deletingLastPathComponent
        let folder = parent.isEmpty ? "." : parent
        let descriptor = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(creating: folder, errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw Failure(.inputOutput, "\(folder): \(String(cString: strerror(errno)))")
        }
    }
}
