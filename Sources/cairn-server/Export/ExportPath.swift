import Foundation
import Model

/// A place on the disk whose name is bytes, as names in a tree are.
struct ExportPath: CustomStringConvertible {
    /// The bytes of the path, without an end.
    let bytes: [UInt8]

    init(_ path: String) { bytes = Array(path.utf8) }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    /// For people: bytes that are not UTF-8 are replaced.
    var description: String { String(decoding: bytes, as: UTF8.self) }

    func appending(_ name: NodeName) -> ExportPath { ExportPath(bytes: bytes + [0x2F] + name.bytes) }

    /// Calls `body` with the path as C wants it.
    func withCPath<Answer>(_ body: (UnsafePointer<CChar>) throws -> Answer) rethrows -> Answer {
        try Self.withC(bytes, body)
    }

    static func withC<Answer>(
        _ bytes: [UInt8], _ body: (UnsafePointer<CChar>) throws -> Answer
    ) rethrows -> Answer {
        try (bytes + [0]).withUnsafeBufferPointer { buffer in
            try buffer.withMemoryRebound(to: CChar.self) { try body($0.baseAddress.unsafelyUnwrapped) }
        }
    }

    /// Makes a folder that only its owner may enter, until it is complete.
    func makeFolder() throws { try check(withCPath { mkdir($0, 0o700) }) }

    /// Makes a symbolic link.
    func makeLink(to target: [UInt8]) throws {
        try check(withCPath { path in Self.withC(target) { symlink($0, path) } })
    }

    /// Sets the permissions, without those that lend rights.
    func setMode(_ mode: UInt16) throws { try check(withCPath { chmod($0, mode_t(mode & 0o1777)) }) }

    /// Sets when it was last written; of a link itself.
    func setModified(_ time: Timestamp) throws {
        let nanoseconds = Int(time.nanoseconds - time.seconds * 1_000_000_000)
        let moment = timespec(tv_sec: Int(time.seconds), tv_nsec: nanoseconds)
        try check(withCPath { utimensat(AT_FDCWD, $0, [moment, moment], AT_SYMLINK_NOFOLLOW) })
    }

    /// Makes a new file; one that is there is refused, also a link.
    func makeFile() throws -> Int32 {
        let descriptor = withCPath { open($0, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600) }
        guard descriptor >= 0 else { throw SafeFiles.failure(description) }
        return descriptor
    }

    func removeFile() { _ = withCPath { unlink($0) } }

    private func check(_ result: Int32) throws {
        if result != 0 { throw SafeFiles.failure(description) }
    }
}
