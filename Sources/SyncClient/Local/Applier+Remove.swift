import CLinux
import Glibc
import Model
import SyncPlanning

/// Removing nodes, and setting their attributes.
extension Applier {
    func remove(_ record: LocalRecord) throws {
        // What someone took out of the linked folder is theirs, whatever the server says.
        if let parent = record.placement?.parent { reopen(parent) }
        let source = try source(of: record)
        try verify(record, in: source.folder, source.name)
        try hook(.beforeRemove)
        if record.fingerprint.kind == .folder {
            try whileWritable(source.folder) { try source.folder.removeFolder(source.name) }
        } else {
            try removeFile(record, source)
        }
        try hook(.afterRemove)
        var gone = record
        gone.condition = .removed
        try note(gone, in: source.folder)
    }

    /// Sets a file aside in one step, and only removes it if it is what was seen.
    func removeFile(_ record: LocalRecord, _ source: Source) throws {
        let area = try staging.area(for: source.folder)
        let name = StagedName.removed(record.node)
        try whileWritable(source.folder) { try source.folder.rename(source.name, to: area.folder, area.bytes(name)) }
        try hook(.afterSetAside)
        if try isSeen(record, in: area.folder, area.bytes(name)) { return try area.remove(name) }
        let place = source.folder.path.appending(source.name)
        do {
            try whileWritable(source.folder) {
                try area.folder.rename(area.bytes(name), to: source.folder, source.name)
            }
        } catch let error as ClientError where error.code == .alreadyExists {
            try keep(name, in: area, beside: source.folder, try NodeName(bytes: source.name))
        }
        throw ClientError(.changedMeanwhile, "'\(place)' was written to while it was removed: it stays")
    }

    /// Sets mode and time of a file, or the mode of a folder.
    ///
    /// Setting the time would hide a write of that moment, so writers are kept waiting meanwhile. Where the kernel can't
    /// do that, the next scan reads the file again.
    func setAttributes(_ record: LocalRecord, mode: UInt16, modified: Timestamp) throws {
        let source = try source(of: record)
        guard var state = record.state else { return }
        try verify(record, in: source.folder, source.name)
        try hook(.beforeAttributes)
        let isFolder = record.fingerprint.kind == .folder
        let entry = try source.folder.open(source.name, O_RDONLY | (isFolder ? O_DIRECTORY : O_NONBLOCK))
        let isHeld = isFolder || cairn_hold_writers(entry.descriptor) == 0
        defer { if isHeld, !isFolder { cairn_release_writers(entry.descriptor) } }
        let found = try entry.status()
        guard isFolder ? found.isSameInode(as: record.fingerprint) : found.isSameVersion(as: record.fingerprint) else {
            throw ClientError(.changedMeanwhile, "'\(entry.path)' changed since it was seen")
        }
        try entry.setPermissions(mode)
        if !isFolder { try entry.setModified(modified.nanoseconds) }
        let result = try entry.status()
        try hook(.afterAttributes)
        state.mode = mode
        state.modified = modified
        try note(
            LocalRecord(
                node: record.node, condition: .present(state), fingerprint: result,
                isRacy: !isFolder && (!isHeld || result.isRacy(readAt: clock.now()))),
            in: source.folder)
        if try staging.isOnMainMount(source.folder) { try entry.sync() }
    }
}
