import CLinux
import Glibc
import Model
import SyncPlanning

/// Filling a place: with a folder, a file or a link.
extension Applier {
    func makeFolder(_ node: NodeID, _ state: NodeState) throws {
        let parent = try folder(of: state.parent)
        try hook(.beforeMakeFolder)
        try whileWritable(parent) { try parent.makeFolder(state.name.bytes, permissions: Self.newFolderMode) }
        try hook(.afterMakeFolder)
        let made = try parent.open(state.name.bytes, O_RDONLY | O_DIRECTORY)
        if try made.status().permissions != state.mode { try made.setPermissions(state.mode) }
        try note(
            LocalRecord(node: node, condition: .present(state), fingerprint: try made.status()), in: parent)
    }

    /// The mode of a folder until it has its own.
    static let newFolderMode: UInt16 = 0o700

    func placeFile(_ node: NodeID, _ state: NodeState, _ record: LocalRecord?, _ file: StagedFile?) throws {
        guard let file else {
            throw ClientError(.blockMissing, "'\(state.name)' was not built: blocks of it are not at hand")
        }
        let parent = try folder(of: state.parent)
        let staged = try staged(file, for: parent)
        try place(node, state, record, staged, in: parent)
    }

    /// Makes the links of all steps in the staging area, so that their inodes are known before any is in its place.
    func stageLinks(_ actions: [LocalAction]) throws -> [NodeID: StagedFile] {
        var links: [NodeID: StagedFile] = [:]
        for action in actions {
            guard case .placeSymlink(let state) = action.step else { continue }
            // What goes wrong here goes wrong in the step, which reports it.
            guard let area = try? staging.main() else { break }
            links[action.node] = try? stageLink(action.node, state, in: area)
        }
        return links
    }

    /// Makes a link in an area, with its time.
    func stageLink(_ node: NodeID, _ state: NodeState, in area: StagingArea) throws -> StagedFile {
        guard case .symlink(let target) = state.payload else {
            throw ClientError(.corrupt, "'\(state.name)' is to be a link and is none")
        }
        let name = StagedName.built(node, content: 0)
        if try area.status(name) != nil { try area.remove(name) }
        try whileWritable(area.folder) { try area.folder.makeSymlink(area.bytes(name), target: target) }
        try area.folder.setModified(state.modified.nanoseconds, of: area.bytes(name))
        guard let fingerprint = try area.status(name) else {
            throw ClientError(.changedMeanwhile, "the staged link for '\(state.name)' is gone")
        }
        return StagedFile(area: area, name: name, fingerprint: fingerprint)
    }

    func placeSymlink(_ node: NodeID, _ state: NodeState, _ record: LocalRecord?, _ file: StagedFile?) throws {
        let parent = try folder(of: state.parent)
        let area = try staging.area(for: parent)
        var link = file
        if link?.area.prefix != area.prefix { link = nil }
        let staged = try link ?? stageLink(node, state, in: area)
        try place(
            node, state, record, Staged(area: area, name: staged.name, fingerprint: staged.fingerprint), in: parent)
    }

    /// An entry ready in an area from where a rename reaches its place.
    struct Staged {
        let area: StagingArea
        var name: StagedName
        let fingerprint: Fingerprint
    }

    /// A built file, copied to the mount of its place when that is another one.
    private func staged(_ file: StagedFile, for parent: OpenFile) throws -> Staged {
        let area = try staging.area(for: parent)
        if area.prefix == file.area.prefix {
            return Staged(area: area, name: file.name, fingerprint: file.fingerprint)
        }
        let fingerprint = try copy(try file.open(), as: file.fingerprint, to: file.name, in: area)
        try file.area.remove(file.name)
        return Staged(area: area, name: file.name, fingerprint: fingerprint)
    }

    /// Makes a durable copy of a file in an area, with its mode and time.
    func copy(
        _ file: OpenFile, as original: Fingerprint, to name: StagedName, in area: StagingArea
    ) throws -> Fingerprint {
        if try area.status(name) != nil { try area.remove(name) }
        let copy = try whileWritable(area.folder) {
            try area.folder.open(area.bytes(name), O_RDWR | O_CREAT | O_EXCL, permissions: 0o600)
        }
        try copy.copyBytes(of: file)
        try copy.setPermissions(original.permissions)
        try copy.setModified(original.modified)
        try copy.sync()
        return try copy.status()
    }

    private func place(
        _ node: NodeID, _ state: NodeState, _ record: LocalRecord?, _ staged: Staged, in parent: OpenFile
    ) throws {
        if let record {
            try exchange(record, state, staged, in: parent)
        } else {
            try hook(.beforePlace)
            try whileWritable(parent) {
                try staged.area.folder.rename(staged.area.bytes(staged.name), to: parent, state.name.bytes)
            }
            try hook(.afterPlace)
        }
        // Whoever writes to the file from now on leaves a trace in what the next scan compares with this.
        var fingerprint = staged.fingerprint
        if let found = try parent.status(of: state.name.bytes), found.isSameInode(as: fingerprint),
            found.isSameVersionMoved(as: fingerprint)
        {
            fingerprint = found
        }
        try note(
            LocalRecord(
                node: node, condition: .present(state), fingerprint: fingerprint,
                isRacy: fingerprint.isRacy(readAt: clock.now())),
            in: parent)
    }

    /// Swaps a staged entry with the one in its place in one step, and looks at what came out of there.
    private func exchange(
        _ record: LocalRecord, _ state: NodeState, _ staged: Staged, in parent: OpenFile
    ) throws {
        guard record.placement == state.placement else {
            throw ClientError(.changedMeanwhile, "'\(state.name)' is to be replaced and is elsewhere")
        }
        try verify(record, in: parent, state.name.bytes)
        // The name tells what is under it before and after the swap: see StagedName.
        let name = StagedName.swapped(record.node, inode: staged.fingerprint.inode)
        let (area, bytes) = (staged.area, staged.area.bytes(name))
        try area.folder.rename(area.bytes(staged.name), to: area.folder, bytes)
        try hook(.beforeExchange)
        do {
            try whileWritable(parent) { try area.folder.exchange(bytes, with: parent, state.name.bytes) }
        } catch let error as ClientError {
            try area.folder.rename(bytes, to: area.folder, area.bytes(staged.name))
            throw error
        }
        try hook(.afterExchange)
        try settle(displaced: name, in: area, record, of: parent, state.name)
    }

    /// Removes what was displaced, if it is what was seen, and nobody is about to write to it; else keeps it beside.
    func settle(
        displaced name: StagedName, in area: StagingArea, _ record: LocalRecord?, of parent: OpenFile,
        _ original: NodeName
    ) throws {
        if let record, try isSeen(record, in: area.folder, area.bytes(name)) {
            try hook(.afterVerify)
            try area.remove(name)
            try hook(.afterUnlink)
        } else {
            try keep(name, in: area, beside: parent, original)
        }
    }

    /// Moves displaced bytes back into the tree under a name of their own, where the next scan finds them.
    @discardableResult
    func keep(
        _ name: StagedName, in area: StagingArea, beside parent: OpenFile, _ original: NodeName
    ) throws -> NodeName {
        try hook(.beforeKeep)
        let isFolder = try area.status(name)?.kind == .folder
        let kept = try naming.name(for: original, isFolder: isFolder) { candidate in
            do {
                try whileWritable(parent) { try area.folder.rename(area.bytes(name), to: parent, candidate.bytes) }
                return false
            } catch let error as ClientError where error.code == .alreadyExists {
                return true
            }
        }
        let place = parent.path.relative(to: folder.handle.path)
        report.kept.append((place.appending(original), place.appending(kept)))
        return kept
    }
}

// MARK: - Looking twice

extension Applier {
    /// Makes sure that an entry is what was noted, and that nobody is writing to it.
    func verify(_ record: LocalRecord, in parent: OpenFile, _ name: [UInt8]) throws {
        guard let found = try parent.status(of: name) else {
            throw ClientError(.notFound, "'\(parent.path.appending(name))' is gone")
        }
        let isSame =
            found.kind == .folder
            ? found.isSameInode(as: record.fingerprint)
            : found.isSameVersion(as: record.fingerprint) && !record.isRacy
        guard isSame else {
            throw ClientError(.changedMeanwhile, "'\(parent.path.appending(name))' changed since it was seen")
        }
        if found.kind == .file, isOpenForWriting(parent, name) {
            let path = parent.path.appending(name)
            throw ClientError(.inUse, "'\(path)' is open for writing in another program: it waits until that is done")
        }
    }

    /// Whether what was displaced is what was noted: the move has changed one time and nothing else.
    func isSeen(_ record: LocalRecord, in folder: OpenFile, _ name: [UInt8]) throws -> Bool {
        guard let found = try folder.status(of: name) else { return false }
        return found.isSameVersionMoved(as: record.fingerprint) && found.kind != .folder
            && !(found.kind == .file && isOpenForWriting(folder, name))
    }

    /// Whether some program has a file open for writing. Where the kernel does not say, it counts as not.
    private func isOpenForWriting(_ folder: OpenFile, _ name: [UInt8]) -> Bool {
        guard let file = try? folder.open(name, O_RDONLY | O_NONBLOCK) else { return false }
        return cairn_open_for_writing(file.descriptor) == 1
    }
}
