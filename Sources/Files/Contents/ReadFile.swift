import Blocks
import Metadata
public import Model

/// Reads a file as a whole or in part, for clients that know nothing of blocks.
public struct ReadFile: Sendable {
    private let context: FilesContext

    /// Makes the use case.
    public init(_ context: FilesContext) { self.context = context }

    /// Finds the file at a path, as it is or as it was at some point. Nothing of its bytes is read yet.
    /// - Throws: ``FilesError``: `notFound`, `conflict` for what is no file, `versionNotKept` for one whose bytes of then
    ///   were given up, `invalidRequest` for a revision that is to come.
    public func callAsFunction(
        _ path: RemotePath, at point: PastPoint? = nil, in namespace: NamespaceID, by principal: Principal
    ) async throws -> FoundFile {
        guard !path.names.isEmpty else { throw FilesError(.conflict, "/ is a folder") }
        let record =
            if let point { try await past(path, point, namespace, principal) } else {
                try await FindNode(context)(path, in: namespace, by: principal)
            }
        guard let content = record.state.payload.content else {
            throw FilesError(.conflict, "\(path) is not a file")
        }
        return FoundFile(
            context: context, account: principal.account, path: path, record: record, content: content,
            device: principal.device)
    }

    private func past(
        _ path: RemotePath, _ point: PastPoint, _ namespace: NamespaceID, _ principal: Principal
    ) async throws -> NodeRecord {
        try await context.database.read { connection in
            try Access.check(connection, namespace, principal)
            let revision = try point.revision(in: namespace, connection)
            guard let record = try NodeQueries(connection).resolve(path, in: namespace, at: revision),
                let version = try VersionQueries(connection).version(of: record.node, in: namespace, at: revision)
            else { throw FilesError(.notFound, "there was nothing at \(path) at revision \(revision)") }
            guard version.isKept else { throw try FilesError.notKept(version, at: path, in: namespace, connection) }
            return record
        }
    }
}

/// A file whose bytes can be read. They stay those of the version that was found, whatever happens to the path meanwhile.
public struct FoundFile: Sendable {
    let context: FilesContext
    let account: AccountID
    /// Where it was found.
    public let path: RemotePath
    /// The node.
    public let record: NodeRecord
    /// Its bytes.
    public let content: Content
    /// Who reads it; nil when that is not known.
    var device: DeviceID?

    /// Begins to read a range: its first window is in memory when this returns, so that what can be wrong with it is
    /// known before an answer begins.
    /// - Throws: ``FilesError``: `rangeNotSatisfiable`, `corruptData` naming the file and the block, `thawing` when any part
    ///   of the range lies in the archive: then the whole file is asked for.
    public func read(_ range: Range<UInt64>) async throws -> FileBytes {
        guard range.upperBound <= content.size else {
            throw FilesError(.rangeNotSatisfiable, "\(path) has \(content.size) bytes")
        }
        try await ensureHot(range)
        let first = range.isEmpty ? nil : try await window(range)
        return FileBytes(file: self, end: range.upperBound, first: first)
    }

    /// The bytes from the start of a range on, as far as one window goes.
    func window(_ range: Range<UInt64>) async throws -> FileWindow {
        let parts = try await plan(range)
        context.archive?.reads.note(parts.map(\.block), of: account)
        let plain = try await OpenBlocks(context).plaintexts(parts.map(\.block), account: account, for: "file \(path)")
        var position = range.lowerBound
        let pieces = zip(parts, plain).map { part, bytes in
            let start = Int(position - part.offset)
            let end = Int(min(range.upperBound - part.offset, UInt64(bytes.count)))
            position = part.offset + UInt64(end)
            return start == 0 && end == bytes.count ? bytes : Array(bytes[start..<end])
        }
        return FileWindow(pieces: pieces, next: position)
    }

    private struct Part: Sendable {
        let block: StoredBlock
        let offset: UInt64
    }

    /// Finds the blocks of a window and where they lie.
    private func plan(_ range: Range<UInt64>) async throws -> [Part] {
        let (account, path, content, window) = (account, path, content, UInt64(context.limits.window))
        do {
            return try await context.database.read { connection in
                var entries: [(entry: RecipeEntry, offset: UInt64)] = []
                try RecipeWalker().entries(of: content, from: range.lowerBound) { page in
                    guard let bytes = try PageQueries(connection).load(page, account: account) else {
                        throw FilesError(.corruptData, "file \(path): page \(page) of its recipe is gone")
                    }
                    return bytes
                } body: { entry, offset in
                    entries.append((entry, offset))
                    let end = offset + UInt64(entry.length)
                    return end < range.upperBound && end - range.lowerBound < window
                }
                let places = try BlockQueries(connection).locations(entries.map(\.entry.block), account: account)
                return try entries.map { entry, offset in
                    guard let place = places[entry.block], place.plainLength == entry.length else {
                        throw FilesError(.corruptData, "file \(path): block \(entry.block) is not where it should be")
                    }
                    return Part(block: place, offset: offset)
                }
            }
        } catch let error as BlocksError {
            throw FilesError(.corruptData, "file \(path): its recipe is damaged", cause: error.description)
        }
    }
}

/// A part of a file in memory.
public struct FileWindow: Sendable {
    /// The bytes, in pieces that follow one another.
    public let pieces: [[UInt8]]
    /// Where in the file the next window begins.
    let next: UInt64
}

/// The bytes of a range of a file, window by window.
public struct FileBytes: Sendable {
    let file: FoundFile
    let end: UInt64
    /// The first window; nil when the range is empty.
    public let first: FileWindow?

    /// The window that follows another; nil at the end of the range. Ask for it while the other is being sent, and no
    /// sooner, and no more than two windows are in memory.
    /// - Throws: ``FilesError`` `corruptData` naming the file and the block.
    public func window(after window: FileWindow) async throws -> FileWindow? {
        window.next < end ? try await file.window(window.next..<end) : nil
    }
}
