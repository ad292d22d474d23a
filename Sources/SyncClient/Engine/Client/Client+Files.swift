import CLinux
import Foundation
import Glibc
public import Model
import Synchronization
public import WireProtocol

/// Single files on the server, without a linked folder.
extension Client {
    /// Copies a file to the server, whole.
    /// - Throws: ``ClientError``; `unstable` when the file is written to meanwhile.
    public func put(_ file: String, to path: RemotePath) async throws -> CommittedResponse {
        let handle = try await onWorker { try OpenFile.file(absolute: file) }
        let fingerprint = try handle.status()
        guard fingerprint.kind == .file else { throw ClientError(.usage, "'\(file)' is no file") }
        progress.begin(.sending, files: 1, bytes: fingerprint.size)
        let answer = try await server.put(
            path, length: fingerprint.size, modified: Timestamp(nanoseconds: fingerprint.modified)
        ) { [workers, progress] in
            FilePieces(handle: handle, size: fingerprint.size, workers: workers, progress: progress)
        }
        guard try handle.status().isSameVersion(as: fingerprint) else {
            throw ClientError(.unstable, "'\(file)' was written to while it was sent: send it again")
        }
        do {
            return try JSONDecoder().decode(CommittedResponse.self, from: Data(answer.body))
        } catch {
            throw ClientError(.protocolViolation, "the server's answer can't be read: \(error)")
        }
    }

    /// Copies a file from the server. It is written beside its place and renamed in; a transfer that is cut off goes on
    /// where it stopped.
    /// - Parameters:
    ///   - path: The file on the server.
    ///   - target: An absolute path: a folder, or a file that is replaced.
    ///   - point: A revision or a moment, as ``PastText`` gives it, to get the file as it was; nil for the present.
    ///   - whileThawing: Called with what to tell and how long to wait when the file lies in the server's archive; false ends
    ///     with the error.
    /// - Throws: ``ClientError``; `conflict` when the file changes on the server meanwhile, `thawing`.
    public func get(
        _ path: RemotePath, to target: String, at point: String? = nil,
        whileThawing: @Sendable (ClientError, Duration) async throws -> Bool = { _, _ in false }
    ) async throws {
        let target = try Self.place(of: path, at: target)
        let beside = target + ".cairn-get-\(getpid())"
        let file = try OpenFile.create(absolute: beside)
        do {
            try await receive(path, at: point, into: file, whileThawing)
            try await onWorker {
                try file.sync()
                if rename(beside, target) != 0 {
                    throw ClientError.system("replace", LocalPath(bytes: Array(target.utf8)), errno: errno)
                }
            }
        } catch {
            _ = Glibc.unlink(beside)
            throw error
        }
    }

    private func receive(
        _ path: RemotePath, at point: String?, into file: OpenFile,
        _ whileThawing: @Sendable (ClientError, Duration) async throws -> Bool
    ) async throws {
        let position = Mutex(UInt64(0))
        // All pieces must be of one version, whatever happens to the file meanwhile.
        let tag = try await tag(of: path, at: point)
        var attempt = 0
        progress.begin(.receiving, files: 1)
        while true {
            let start = position.withLock { $0 }
            do {
                let answer = try await server.get(path, at: point, from: start, ifMatch: tag) {
                    [workers, progress] piece in
                    let offset = position.withLock { $0 }
                    try await workers.run { _ in try piece.withUnsafeBytes { try file.write($0, at: offset) } }
                    position.withLock { $0 += UInt64(piece.count) }
                    progress.advance(bytes: UInt64(piece.count))
                }
                if let modified = answer.headers["last-modified"].flatMap(ISOTime.readHTTP) {
                    try file.setModified(modified.nanoseconds)
                }
                return
            } catch let error as ClientError where error.code == .thawing {
                // An estimate may be wrong by much: it is asked again now and then.
                let wait = min(max(error.retryAfter ?? .seconds(60), .seconds(1)), Self.longestThawWait)
                guard try await whileThawing(error, wait) else { throw error }
                try await server.configuration.pause(wait)
            } catch let error as ClientError where error.isRetryable {
                attempt = position.withLock { $0 } > start ? 0 : attempt + 1
                if attempt >= 5 { throw error }
                try await server.configuration.pause(.milliseconds(200 << attempt))
            }
        }
    }

    private static let longestThawWait = Duration.seconds(600)

    /// The tag of a file. An answer to HEAD can't say which versions are kept instead: the GET that follows does.
    private func tag(of path: RemotePath, at point: String?) async throws -> String? {
        do {
            return try await server.tag(of: path, at: point)
        } catch let error as ClientError where point != nil && error.code == .rejected {
            return nil
        }
    }

    private static func place(of path: RemotePath, at target: String) throws -> String {
        var status = stat()
        guard stat(target, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return target }
        guard let name = path.name else { throw ClientError(.usage, "'\(path)' is a folder: name a file") }
        return target + "/" + String(decoding: name.bytes, as: UTF8.self)
    }

    /// Lists a folder on the server, as it is or as it was at some point.
    public func list(
        _ path: RemotePath, at point: String? = nil, entry: (FolderEntry) throws -> Void
    ) async throws {
        try await server.list(path, at: point) { try $0.entries.forEach(entry) }
    }

    /// Makes a folder on the server.
    public func makeFolder(_ path: RemotePath) async throws -> CommittedResponse { try await server.makeFolder(path) }

    /// Moves a node on the server.
    public func move(_ from: RemotePath, to: RemotePath) async throws -> CommittedResponse {
        try await server.move(from, to: to)
    }

    /// Removes a node from the server, a folder with all that is in it.
    public func remove(_ path: RemotePath) async throws { try await server.remove(path) }
}

/// A file in pieces, read on worker threads. `@unchecked`: whoever sends it asks for one piece after the other.
private final class FilePieces: ByteSource, @unchecked Sendable {
    private let handle: OpenFile
    private let size: UInt64
    private let workers: WorkerPool
    private let progress: ProgressBoard
    private var offset: UInt64 = 0

    init(handle: OpenFile, size: UInt64, workers: WorkerPool, progress: ProgressBoard) {
        self.handle = handle
        self.size = size
        self.workers = workers
        self.progress = progress
    }

    func next() async throws -> [UInt8]? {
        let rest = size - offset
        if rest == 0 { return nil }
        let (handle, offset) = (handle, offset)
        let piece = try await workers.run { _ in
            try [UInt8](unsafeUninitializedCapacity: Int(min(rest, 256 << 10))) { room, count in
                count = try handle.read(into: UnsafeMutableRawBufferPointer(room), at: offset)
            }
        }
        if piece.isEmpty { throw ClientError(.unstable, "'\(handle.path)' became shorter while it was sent") }
        self.offset += UInt64(piece.count)
        progress.advance(bytes: UInt64(piece.count))
        return piece
    }
}

extension OpenFile {
    /// Opens a file for reading by its absolute path, as the user named it.
    fileprivate static func file(absolute path: String) throws -> OpenFile {
        try opened(path, O_RDONLY | O_NONBLOCK, doing: "open")
    }

    /// Makes a file that must not be there yet.
    fileprivate static func create(absolute path: String) throws -> OpenFile {
        try opened(path, O_RDWR | O_CREAT | O_EXCL, doing: "make")
    }

    private static func opened(_ path: String, _ flags: Int32, doing: String) throws -> OpenFile {
        let descriptor = cairn_openat(AT_FDCWD, path, flags, 0o644)
        let name = LocalPath(bytes: Array(path.utf8))
        guard descriptor >= 0 else { throw ClientError.system(doing, name, errno: errno) }
        return OpenFile(descriptor: descriptor, path: name)
    }
}
