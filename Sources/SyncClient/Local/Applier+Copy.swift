import Glibc
import Model
import SyncPlanning

/// Moving a node to another mount within the linked folder, where no rename reaches.
extension Applier {
    /// Puts a copy in the new place, whole and durable, and only then removes the original, if it is still what was seen.
    /// - Throws: ``ClientError``: a folder can't be moved so, since it would be in two places for a while.
    func moveAcross(
        _ record: LocalRecord, _ source: Source, to placement: Placement, in target: OpenFile
    ) throws {
        guard var state = record.state, record.fingerprint.kind != .folder else {
            let path = source.folder.path.appending(source.name)
            throw ClientError(
                .io, "the folder '\(path)' can't be moved to another disk ('\(target.path)') in one step", errno: EXDEV)
        }
        let area = try staging.area(for: target)
        let name = StagedName.built(record.node, content: 0)
        if case .symlink = state.payload {
            _ = try stageLink(record.node, state, in: area)
        } else {
            let original = try source.folder.open(source.name, O_RDONLY | O_NONBLOCK)
            _ = try copy(original, as: record.fingerprint, to: name, in: area)
        }
        try whileWritable(target) { try area.folder.rename(area.bytes(name), to: target, placement.name.bytes) }
        try hook(.afterMove)
        try removeFile(record, source)
        guard let found = try target.status(of: placement.name.bytes) else {
            throw ClientError(.notFound, "'\(target.path.appending(placement.name))' is gone")
        }
        state.placement = placement
        var moved = record
        moved.condition = .present(state)
        moved.fingerprint = found
        moved.isRacy = found.isRacy(readAt: clock.now())
        parkings[record.node] = nil
        try note(moved, in: source.folder, target)
    }
}
