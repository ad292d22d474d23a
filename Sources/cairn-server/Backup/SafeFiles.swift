import Blocks
import Foundation
import Model

/// Writes files so that they are there whole and durably, or not at all.
enum SafeFiles {
    /// How much is read or written at once.
    static let step = 4 << 20

    /// Makes a folder for its owner alone, durably, unless it is there.
    static func makeFolder(_ path: String) throws {
        if access(path, F_OK) == 0 {
            guard isFolder(path) else { throw Failure(.configuration, "\(path) is not a folder") }
            return
        }
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw Failure(creating: path, errno)
        }
        try syncFolder(around: path)
    }

    /// Whether a folder is there, or a link to one.
    static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// What is in a folder, in no order.
    static func names(in folder: String) throws -> [String] {
        do { return try FileManager.default.contentsOfDirectory(atPath: folder) } catch {
            throw Failure(.inputOutput, "\(folder) can't be read: \(error.localizedDescription)")
        }
    }

    /// Whether a folder is as good as empty: it holds nothing, or only the beginning of its mark, as one that was made right
    /// before a kill.
    static func isBegun(_ folder: String, with mark: String, at path: String) throws -> Bool {
        let names = try names(in: folder)
        if names.isEmpty { return true }
        let draft = path + FileDraft.ending
        var status = stat()
        guard names == [(draft as NSString).lastPathComponent], lstat(draft, &status) == 0,
            status.st_mode & S_IFMT == S_IFREG, status.st_size <= mark.utf8.count
        else { return false }
        var found: [UInt8] = []
        try read(draft, size: nil) { found += $0 }
        return mark.utf8.starts(with: found)
    }

    /// Writes a small file in one step.
    @discardableResult
    static func write(_ bytes: [UInt8], to path: String) throws -> HashedFile {
        let draft = try FileDraft(path)
        try draft.append(bytes[...])
        return try draft.finish()
    }

    /// Copies the first `size` bytes of a file, all of them for nil.
    /// - Returns: what was copied.
    static func copy(_ source: String, to path: String, size: UInt64? = nil) throws -> HashedFile {
        let draft = try FileDraft(path)
        try read(source, size: size) { try draft.append($0) }
        return try draft.finish()
    }

    /// The hash of the first `size` bytes of a file, of all of them for nil.
    static func hash(of path: String, size: UInt64? = nil) throws -> HashedFile {
        var hasher = SHA256Hasher()
        var count: UInt64 = 0
        try read(path, size: size) { bytes in
            bytes.withUnsafeBytes { hasher.update($0) }
            count += UInt64(bytes.count)
        }
        return HashedFile(size: count, digest: hasher.finish())
    }

    private static func read(_ path: String, size: UInt64?, _ take: (ArraySlice<UInt8>) throws -> Void) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path) }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: step)
        var left = size ?? .max
        while left > 0 {
            let wanted = Int(min(UInt64(step), left))
            let count = buffer.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, wanted) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure(path) }
            if count == 0 { return }
            try take(buffer[..<count])
            left -= UInt64(count)
        }
    }

    /// Syncs the names in the folder that holds a path.
    static func syncFolder(around path: String) throws {
        let folder = (path as NSString).deletingLastPathComponent
        let descriptor = open(folder.isEmpty ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(folder) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure(folder) }
    }

    /// Syncs a file that something else has written.
    static func sync(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure(path) }
    }

    /// Gives a file another name, durably.
    static func rename(_ old: String, _ new: String) throws {
        guard Glibc.rename(old, new) == 0 else { throw failure(new) }
        try syncFolder(around: new)
    }

    static func failure(_ path: String) -> Failure {
        let reason = String(cString: strerror(errno))
        return Failure(errno == EACCES || errno == EPERM ? .permission : .inputOutput, "\(path): \(reason)")
    }
}

/// A file that grows beside its place, and takes it when it is complete.
final class FileDraft {
    private let path: String
    private let descriptor: Int32
    private var hasher = SHA256Hasher()
    private var size: UInt64 = 0
    private var isFinished = false

    /// What the name ends in until it is complete.
    static let ending = ".new"

    private var draft: String { path + Self.ending }

    init(_ path: String) throws {
        self.path = path
        descriptor = open(path + Self.ending, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure(creating: path, errno) }
    }

    deinit {
        close(descriptor)
        if !isFinished { unlink(draft) }
    }

    func append(_ bytes: ArraySlice<UInt8>) throws {
        try bytes.withUnsafeBytes { raw in
            hasher.update(raw)
            var done = 0
            while done < raw.count {
                let count = Glibc.write(descriptor, raw.baseAddress.map { $0 + done }, raw.count - done)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw SafeFiles.failure(path) }
                done += count
            }
        }
        size += UInt64(bytes.count)
    }

    /// Syncs it and puts it in its place.
    func finish() throws -> HashedFile {
        guard fsync(descriptor) == 0 else { throw SafeFiles.failure(path) }
        try SafeFiles.rename(draft, path)
        isFinished = true
        return HashedFile(size: size, digest: hasher.finish())
    }
}
