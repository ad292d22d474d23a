import Blocks
import Glibc
import Model

/// Finds blocks in the files of this disk: in any linked folder, in any file, at any offset.
///
/// The index is a hint. What is read is verified by its hash, and a hint that was wrong is dropped. One that could not
/// be tried is kept: the file that it is about may be away, or not in its place yet. What no file has any more goes
/// with ``RecipeQueries/sweep(_:)``.
final class BlockSource {
    private let database: ClientDatabase
    private var links: [LinkRecord] = []
    private var folders: [LinkID: LinkedFolder] = [:]
    private var files: [LocalPath: OpenFile] = [:]

    /// Makes a source of blocks out of all linked folders that are in their places.
    init(database: ClientDatabase) throws {
        self.database = database
        for link in try database.read({ try LinkQueries($0).all() }) {
            links.append(link)
            folders[link.id] = try? LinkedFolder(link)
        }
    }

    /// Reads a block from wherever it is on this disk.
    /// - Parameters:
    ///   - entry: The block and its length.
    ///   - buffer: Takes its bytes: exactly as many as the entry says.
    /// - Returns: Whether it was found; the buffer holds anything otherwise.
    /// - Throws: ``ClientError`` when the state can't be read. A file that can't be read is not where the block is.
    func read(_ entry: RecipeEntry, into buffer: UnsafeMutableRawBufferPointer) throws -> Bool {
        precondition(buffer.count == Int(entry.length), "the buffer is as long as the block")
        if try readWhole(entry, buffer) { return true }
        for place in try database.read({ try RecipeQueries($0).places(of: entry.block) })
        where place.length == entry.length {
            var wrong = 0
            let candidates = try candidates(place)
            for candidate in candidates {
                switch read(candidate, at: place.offset, entry, buffer) {
                case .found: return true
                case .wrong: wrong += 1
                case .unknown: break
                }
            }
            if wrong > 0, wrong == candidates.count {
                try database.write { try RecipeQueries($0).drop(place, of: entry.block) }
            }
        }
        return false
    }

    /// Lets the files go that were read from.
    func close() { files.removeAll() }

    private struct Candidate {
        let link: LinkID
        let path: LocalPath
    }

    /// A file of one block has no recipe: its content is the block.
    private func readWhole(_ entry: RecipeEntry, _ buffer: UnsafeMutableRawBufferPointer) throws -> Bool {
        let content = ContentID(level: 0, digest: entry.block.digest)
        for link in links {
            let paths = try database.read { connection -> [LocalPath] in
                let view = LocalView(connection, link: link.id)
                return try view.nodes(withContent: content).prefix(Self.tries)
                    .compactMap { try view.path(of: $0, root: link.root) }
            }
            for path in paths
            where read(Candidate(link: link.id, path: path), at: 0, entry, buffer) == .found { return true }
        }
        return false
    }

    /// How many files of the same content are tried.
    private static let tries = 4

    private func candidates(_ place: BlockPlace) throws -> [Candidate] {
        try links.flatMap { link in
            try database.read { connection in
                let view = LocalView(connection, link: link.id)
                return try view.nodes(withContentKey: place.contentKey).prefix(Self.tries)
                    .compactMap { try view.path(of: $0, root: link.root) }
                    .map { Candidate(link: link.id, path: $0) }
            }
        }
    }

    /// What a look at one file brought.
    private enum Look {
        case found
        /// It was read, and holds something else there.
        case wrong
        /// It could not be read.
        case unknown
    }

    private func read(
        _ candidate: Candidate, at offset: UInt64, _ entry: RecipeEntry, _ buffer: UnsafeMutableRawBufferPointer
    ) -> Look {
        guard let file = open(candidate) else { return .unknown }
        var done = 0
        while done < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            guard let count = try? file.read(into: rest, at: offset + UInt64(done)) else { return .unknown }
            if count == 0 { return .wrong }
            done += count
        }
        return BlockID(SHA256Hasher.digest(of: UnsafeRawBufferPointer(buffer))) == entry.block ? .found : .wrong
    }

    /// How many files are kept open at once: the blocks of one file mostly come from a few others.
    private static let openFiles = 32

    private func open(_ candidate: Candidate) -> OpenFile? {
        guard let folder = folders[candidate.link], let parent = candidate.path.parent else { return nil }
        let absolute = folder.handle.path.appending(candidate.path.bytes)
        if let file = files[absolute] { return file }
        let file = try? folder.handle.folder(at: parent).open(candidate.path.lastName, O_RDONLY | O_NONBLOCK)
        if files.count >= Self.openFiles { files.removeAll() }
        files[absolute] = file
        return file
    }
}
