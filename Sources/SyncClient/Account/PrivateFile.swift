import Glibc

/// Small files that only the user may read, replaced whole or not at all.
enum PrivateFile {
    /// Makes a folder and those around it that are missing, each with mode 0700.
    static func makeFolder(_ path: String) throws {
        if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
        let number = errno
        if number == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try makeFolder(String(path[..<slash]))
            if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
        }
        throw ClientError.system("make the folder", LocalPath(bytes: Array(path.utf8)), errno: errno)
    }

    /// The bytes of a file; nil when there is none.
    static func read(_ path: String) throws -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        if file < 0 {
            if errno == ENOENT { return nil }
            throw failure("open", path)
        }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(file, &buffer, buffer.count)
            if count < 0 { throw failure("read", path) }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
        }
    }

    /// Writes a file beside its place, syncs it and renames it in; mode 0600.
    static func write(_ bytes: [UInt8], to path: String) throws {
        let beside = path + ".new-\(getpid())"
        unlink(beside)  // what a killed process of the same number left
        let file = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if file < 0 { throw failure("create", beside) }
        do {
            defer { close(file) }
            try writeAll(bytes, file, beside)
            if fsync(file) != 0 { throw failure("sync", beside) }
        } catch {
            unlink(beside)
            throw error
        }
        if rename(beside, path) != 0 {
            let error = failure("replace", path)
            unlink(beside)
            throw error
        }
        try syncFolder(of: path)
    }

    static func remove(_ path: String) throws {
        if unlink(path) != 0, errno != ENOENT { throw failure("remove", path) }
    }

    private static func writeAll(_ bytes: [UInt8], _ file: Int32, _ path: String) throws {
        try bytes.withUnsafeBytes { buffer in
            var done = 0
            while done < buffer.count {
                let count = Glibc.write(file, buffer.baseAddress?.advanced(by: done), buffer.count - done)
                if count < 0 {
                    if errno == EINTR { continue }
                    throw failure("write", path)
                }
                done += count
            }
        }
    }

    private static func syncFolder(of path: String) throws {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let handle = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if handle < 0 { throw failure("open", folder) }
        defer { close(handle) }
        if fsync(handle) != 0 { throw failure("sync", folder) }
    }

    private static func failure(_ doing: String, _ path: String) -> ClientError {
        ClientError.system(doing, LocalPath(bytes: Array(path.utf8)), errno: errno)
    }
}
