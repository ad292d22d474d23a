import Blocks
import Glibc
import Model

/// A file that was built whole and waits in a staging area for the step that puts it in its place.
struct StagedFile: Sendable {
    let area: StagingArea
    let name: StagedName
    /// What the file is once built; the rename changes one time of it.
    let fingerprint: Fingerprint

    /// Opens it to be read. It is not kept open: there may be thousands, and while it is open for writing it counts as
    /// being written to.
    func open() throws -> OpenFile { try area.folder.open(area.bytes(name), O_RDONLY | O_NONBLOCK) }
}

/// Builds one file in the staging area from blocks that come in any order.
final class FileBuilder {
    /// Whether a part of the file was built by an earlier run: ask ``contains(_:at:)`` before fetching a block.
    let isResumed: Bool

    private let area: StagingArea
    private let name: StagedName
    private let path: LocalPath
    /// Open for reading and writing; nil once the file is finished or given up.
    private var file: OpenFile?
    private let state: NodeState
    private let size: UInt64
    private var written: UInt64 = 0
    /// Where the last byte that was written ends.
    private var end: UInt64 = 0

    /// Begins, or goes on with what an earlier run has left of the same content.
    /// - Throws: ``ClientError``, `diskFull` and `readOnly` among its codes.
    init(node: NodeID, state: NodeState, content: Content, area: StagingArea) throws {
        self.area = area
        self.state = state
        size = content.size
        name = .built(node, content: content.id.digest.words.0)
        let bytes = area.bytes(name)
        path = area.folder.path.appending(bytes)
        do {
            file = try area.folder.open(bytes, O_RDWR | O_CREAT | O_EXCL, permissions: 0o600)
            isResumed = false
        } catch let error as ClientError where error.code == .alreadyExists {
            file = try area.folder.open(bytes, O_RDWR)
            isResumed = true
        }
        // What is left of another length reads as zeros; a new file is as long as what is written to it.
        if isResumed { try handle().resize(size) }
    }

    private func handle() throws -> OpenFile {
        guard let file else { throw ClientError(.io, "'\(path)' is finished or was given up") }
        return file
    }

    /// Writes a block at its place. Zeros that a new file reads anyway are left out, so that holes stay holes.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws {
        precondition(offset + UInt64(bytes.count) <= size, "a block lies within its file")
        if isResumed || !Self.isZero(bytes) {
            try handle().write(bytes, at: offset)
            end = max(end, offset + UInt64(bytes.count))
        }
        written += UInt64(bytes.count)
    }

    /// Whether a block is at its place already, from an earlier run. Then it counts as written.
    func contains(_ entry: RecipeEntry, at offset: UInt64) throws -> Bool {
        guard isResumed else { return false }
        let handle = try handle()
        let isThere = try withUnsafeTemporaryAllocation(byteCount: Int(entry.length), alignment: 16) { buffer in
            var done = 0
            while done < buffer.count {
                let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
                let count = try handle.read(into: rest, at: offset + UInt64(done))
                if count == 0 { return false }
                done += count
            }
            return BlockID(SHA256Hasher.digest(of: UnsafeRawBufferPointer(buffer))) == entry.block
        }
        if isThere { written += UInt64(entry.length) }
        return isThere
    }

    /// Gives the file its mode and time. It is not durable yet: ``Applier/perform(_:files:)`` sees to that.
    func finish() throws -> StagedFile {
        guard written == size else {
            throw ClientError(.blockMissing, "\(size - written) of \(size) bytes of '\(state.name)' are missing")
        }
        let handle = try handle()
        if !isResumed, end < size { try handle.resize(size) }
        try handle.setPermissions(state.mode)
        try handle.setModified(state.modified.nanoseconds)
        file = nil
        return StagedFile(area: area, name: name, fingerprint: try handle.status())
    }

    /// Gives up and removes what was built.
    func discard() throws {
        // What is still open would keep its room on the disk.
        file = nil
        try area.remove(name)
    }

    private static func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count >= 4096, let base = bytes.baseAddress, bytes[0] == 0 else { return false }
        return memcmp(base, base + 1, bytes.count - 1) == 0
    }
}
