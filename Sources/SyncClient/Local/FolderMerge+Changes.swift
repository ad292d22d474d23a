import CLinux
import Model
import SyncPlanning

extension FolderMerge {
    /// An entry that is not as the node noted under its name.
    func change(_ index: Int, _ found: Fingerprint, _ record: LocalRecord) throws {
        // That node has been found at another place: what is here now is something else.
        if pass.claimed.contains(record.node) { return try appear(index, found) }
        guard let kind = found.kind else {
            try miss(record)
            return skip(index)
        }
        switch (record.fingerprint.kind == .folder, kind) {
        case (true, .folder): try changeFolder(index, found, record)
        case (true, _), (false, .folder):
            try miss(record)
            try appear(index, found)
        case (false, .file), (false, .symlink): try settle(record, index, found)
        }
    }

    private func changeFolder(_ index: Int, _ found: Fingerprint, _ record: LocalRecord) throws {
        if found.isSameInode(as: record.fingerprint) { return try settle(record, index, found) }
        if isUnmounted(found, record) {
            return report(index, "what was mounted at '\(pathOnDisk(index))' is not: nothing in it is synced")
        }
        if try isHidden(index, found, record) {
            return report(index, "'\(pathOnDisk(index))' is hidden by what is mounted over it: nothing in it is synced")
        }
        if let other = try moved(found) {
            try miss(record)
            return try settle(other, index, found)
        }
        pass.replacements.append(
            ScanPass.Replacement(
                noted: record, placement: try placement(index), path: path(index), fingerprint: found))
    }

    /// Whether a folder was the top of another device and now lies on that of the folder around it.
    private func isUnmounted(_ found: Fingerprint, _ record: LocalRecord) -> Bool {
        guard let around = visit.notedDevice else { return false }
        return record.fingerprint.device != around && found.device == visit.expected.device
    }

    /// Whether something is mounted now over a folder that had entries: they are not removed, only hidden.
    private func isHidden(_ index: Int, _ found: Fingerprint, _ record: LocalRecord) throws -> Bool {
        guard record.fingerprint.device == visit.notedDevice else { return false }
        var (around, entry) = (cairn_stat(), cairn_stat())
        guard cairn_statat(handle.descriptor, "", &around) == 0,
            listing.withCName(index, { cairn_statat(handle.descriptor, $0, &entry) }) == 0,
            around.mount != entry.mount || around.device != entry.device, Fingerprint(entry).isSameInode(as: found)
        else { return false }
        return try view.hasChildren(record.node)
    }

    private func pathOnDisk(_ index: Int) -> LocalPath { handle.path.appending(path(index).lastName) }

    private func report(_ index: Int, _ message: String) {
        pass.report.problems.append(Problem(path: path(index), code: .folderReplaced, message: message))
    }

    /// An entry whose name nothing is noted under.
    func appear(_ index: Int, _ found: Fingerprint) throws {
        guard let kind = found.kind else { return skip(index) }
        if let record = try moved(found) { return try settle(record, index, found) }
        let placement = try placement(index)
        if kind == .folder { return pass.note(newFolder: placement, found, path(index)) }
        let node = NodeID(using: &pass.generator)
        let record = LocalRecord(node: node, condition: .unread(placement), fingerprint: found)
        try settle(record, index, found)
    }

    /// The node that an entry was under another name, if that place has been left.
    private func moved(_ found: Fingerprint) throws -> LocalRecord? {
        try view.records(withInode: found.inode).first { record in
            guard record.fingerprint.isSameInode(as: found), !pass.claimed.contains(record.node) else { return false }
            switch record.condition {
            case .parked: return false
            case .removed: return true
            case .present, .unread: return try hasLeft(record)
            }
        }
    }

    /// Whether a node is not where it was noted. For a file anything in its place keeps it there: see ``Scanner``.
    private func hasLeft(_ record: LocalRecord) throws -> Bool {
        if pass.vanished[record.node] != nil { return true }
        guard let path = try view.path(of: record.node, root: pass.link.root), let parent = path.parent else {
            return true
        }
        do {
            guard let there = try pass.folder.handle.folder(at: parent).status(of: path.lastName) else { return true }
            if record.fingerprint.kind == .folder { return !there.isSameInode(as: record.fingerprint) }
            return there.kind == nil || there.kind == .folder
        } catch let error as ClientError {
            return error.code == .notFound || error.code == .notFolder
        }
    }

    /// Notes that a node is at a place, as what was found there.
    private func settle(_ record: LocalRecord, _ index: Int, _ found: Fingerprint) throws {
        var record = record
        let placement = try placement(index)
        let before = try record.state ?? view.lastState(of: record.node)
        pass.claimed.insert(record.node)
        pass.vanished[record.node] = nil
        record.fingerprint = found
        record.isRacy = false
        switch found.kind {
        case .folder:
            record.condition = .present(
                NodeState(
                    parent: placement.parent, name: placement.name, payload: .folder, mode: found.permissions,
                    modified: before?.modified ?? Timestamp(nanoseconds: found.modified)))
            let isMoved = before?.placement != placement
            if isMoved || visit.recursive { pass.descend(record, path(index)) }
        case .symlink:
            record.condition = .present(try symlink(index, found, placement, before))
            record.isRacy = found.isRacy(readAt: pass.clock.now())
        case .file, nil: record.condition = .unread(placement)
        }
        pass.note(record)
    }

    /// The state of a symbolic link. One that was made again with the same target has not changed.
    private func symlink(
        _ index: Int, _ found: Fingerprint, _ placement: Placement, _ before: NodeState?
    ) throws -> NodeState {
        let payload = NodePayload.symlink(target: try handle.target(of: listing[index]))
        let modified = before?.payload == payload ? before?.modified : nil
        return NodeState(
            parent: placement.parent, name: placement.name, payload: payload, mode: 0o777,
            modified: modified ?? Timestamp(nanoseconds: found.modified))
    }

    private func skip(_ index: Int) {
        pass.report.skippedCount += 1
        if pass.report.skipped.count < ScanReport.skippedLimit { pass.report.skipped.append(path(index)) }
    }
}

extension LocalView {
    /// What a node was agreed to be, where it is gone from disk or its bytes are unread.
    func lastState(of node: NodeID) throws -> NodeState? {
        try SyncedQueries(connection, link: link).record(of: node)?.state
    }
}
