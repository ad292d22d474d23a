import Blocks
import CLinux
import Glibc
import Model

/// Reads files that changed: cuts them into blocks, hashes them, and makes their recipes.
///
/// One per thread: it reuses its buffer. A file that is written to while it is read is not taken: what was
/// read may be half old and half new.
final class ContentReader {
    /// What was read of a file.
    struct Reading {
        let content: Content
        /// What the file was before and after it was read.
        let fingerprint: Fingerprint
        /// Whether a write right after the reading could go unnoticed: see ``Fingerprint/isRacy(readAt:)``.
        let isRacy: Bool
        /// The pages of the recipe, each below the one that lists it; none for a content of one block.
        let pages: [RecipePage]
    }

    private let folder: LinkedFolder
    private let database: ClientDatabase
    private let clock: any WallClock
    private let splitter: ContentSplitter

    /// Makes a reader of files of a linked folder.
    init(folder: LinkedFolder, database: ClientDatabase, clock: any WallClock, chunker: Chunker = Chunker()) {
        self.folder = folder
        self.database = database
        self.clock = clock
        splitter = ContentSplitter(chunker: chunker)
    }

    /// Reads a file and keeps its recipe in the state.
    ///
    /// - Parameters:
    ///   - path: The file, below the linked folder.
    ///   - expected: What the scan saw there; nil takes whatever file is there.
    ///   - generator: The source of a key for the recipe while it has no name.
    ///   - page: Takes the pages of the recipe as they are done, each after those below it; nil collects them.
    ///   - block: Takes every block as it is read; the bytes are valid during the call only. Blocks that were handed out
    ///     before an error belong to a content that is not there (any more).
    /// - Returns: The content, and what the file was while it was read.
    /// - Throws: ``ClientError``: `unstable` when the file is written to, `changedMeanwhile` when it is not what was
    ///   expected, and what the system says. What `block` throws goes through.
    func read(
        _ path: LocalPath, expecting expected: Fingerprint?, using generator: inout some RandomNumberGenerator,
        page: ((RecipePage) throws -> Void)? = nil,
        block: (BlockID, UnsafeRawBufferPointer) throws -> Void = { _, _ in }
    ) throws -> Reading {
        let file = try open(path)
        let before = try file.status()
        let start = clock.now()
        try check(file, before, against: expected)
        posix_fadvise(file.descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
        var spool = RecipeSpool(database, link: folder.link, using: &generator)
        var pages: [RecipePage] = []
        do {
            let content = try split(file, &spool, block) { made in
                if let page { try page(made) } else { pages.append(made) }
            }
            guard try file.status().isSameVersion(as: before), content.size == before.size else {
                throw ClientError(.unstable, "'\(file.path)' was written to while it was read", errno: 0)
            }
            try spool.finish(content.id)
            return Reading(
                content: content, fingerprint: before, isRacy: before.isRacy(readAt: start), pages: pages)
        } catch {
            try spool.abandon()
            throw error
        }
    }

    private func open(_ path: LocalPath) throws -> OpenFile {
        guard let parent = path.parent else { throw ClientError(.notFound, "the linked folder is no file") }
        // Without O_NONBLOCK, a pipe that someone puts in the place of the file would hold the reader for ever.
        return try folder.handle.folder(at: parent).open(path.lastName, O_RDONLY | O_NONBLOCK)
    }

    private func check(_ file: OpenFile, _ found: Fingerprint, against expected: Fingerprint?) throws {
        guard found.kind == .file else { throw ClientError(.changedMeanwhile, "'\(file.path)' is no file any more") }
        if let expected, !found.isSameVersion(as: expected) {
            throw ClientError(.changedMeanwhile, "'\(file.path)' changed since it was seen")
        }
    }

    private func split(
        _ file: OpenFile, _ spool: inout RecipeSpool, _ block: (BlockID, UnsafeRawBufferPointer) throws -> Void,
        emit: (RecipePage) throws -> Void
    ) throws -> Content {
        var builder = RecipeBuilder()
        var offset: UInt64 = 0
        _ = try splitter.split { buffer in
            let count = try file.read(into: buffer, at: offset)
            offset += UInt64(count)
            return count
        } block: { id, bytes in
            let entry = RecipeEntry(block: id, length: UInt32(bytes.count))
            try spool.append(entry)
            try builder.append(entry, emit: emit)
            try block(id, bytes)
        }
        return try builder.finish(emit: emit)
    }
}
