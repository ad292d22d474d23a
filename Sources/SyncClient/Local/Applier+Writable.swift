import Glibc
import Model
import SyncPlanning

/// Working in folders that are read-only.
extension Applier {
    /// Does something to the names in a folder. If the owner has no right to, they are given it for that moment.
    ///
    /// A synced folder may be read-only, and what is new in it on another device belongs into it here.
    /// - Throws: What `body` throws; its first error when the folder belongs to someone else.
    func whileWritable<Answer>(_ folder: OpenFile, _ body: () throws -> Answer) throws -> Answer {
        do {
            return try body()
        } catch let error as ClientError where error.code == .permissionDenied {
            let found = try folder.status()
            guard found.permissions & 0o300 != 0o300 else { throw error }
            let opening = OpenedFolder(found, path: folder.path.relative(to: self.folder.handle.path))
            // Noted before, durably: a power cut may come with the mode on disk and the note not.
            if opened.insert(opening).inserted {
                try database.writeDurably { try OpenedQueries($0, link: link.id).add(opening) }
            }
            guard fchmod(folder.descriptor, mode_t(opening.openedMode)) == 0 else { throw error }
            try hook(.folderOpened)
            defer { fchmod(folder.descriptor, mode_t(opening.mode)) }
            return try body()
        }
    }

    /// Gives the folders that a killed run has left open their modes back: after the intents were adopted, since a folder
    /// may have been moved since it was opened.
    func closeFolders() throws {
        for opening in try database.read({ try OpenedQueries($0, link: link.id).all() }) {
            for path in try [opening.path] + paths(of: opening) {
                guard let handle = try? folder.handle.folder(at: path), opening.isLeftOpen(try handle.status()) else {
                    continue
                }
                try handle.setPermissions(opening.mode)
                try handle.sync()
                try adoptMode(of: handle)
                break
            }
        }
    }

    /// Where the folders with an inode number are now.
    private func paths(of opening: OpenedFolder) throws -> [LocalPath] {
        let adopted = changes.values.filter { $0.fingerprint.inode == opening.inode }.map(\.node)
        let noted = try database.read { try LocalView($0, link: link.id).records(withInode: opening.inode) }
        return try (adopted + noted.map(\.node)).compactMap { try path(of: $0) }
    }

    /// What was adopted of the folder while it was open has the mode of that moment.
    private func adoptMode(of handle: OpenFile) throws {
        let found = try handle.status()
        for (node, var record) in changes where record.fingerprint.isSameInode(as: found) {
            guard case .present(var state) = record.condition else { continue }
            state.mode = found.permissions
            record.condition = .present(state)
            record.fingerprint = found
            changes[node] = record
        }
    }
}
