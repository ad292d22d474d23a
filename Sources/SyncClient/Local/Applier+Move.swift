import CLinux
import Glibc
import Model
import SyncPlanning

/// Moving nodes, within the tree and out of it for a moment.
extension Applier {
    func move(_ record: LocalRecord, to placement: Placement) throws {
        let source = try source(of: record)
        try verify(record, in: source.folder, source.name)
        let target = try folder(of: placement.parent)
        try hook(.beforeMove)
        do {
            try whileWritable(source.folder) {
                try whileWritable(target) {
                    try source.folder.rename(source.name, to: target, placement.name.bytes)
                }
            }
        } catch let error as ClientError where error.errno == EXDEV {
            return try moveAcross(record, source, to: placement, in: target)
        }
        try hook(.afterMove)
        let moved = try arrived(record, target, placement.name.bytes, from: source)
        try note(at(placement, record, moved), in: source.folder, target)
        parkings[record.node] = nil
    }

    func park(_ record: LocalRecord) throws {
        guard let state = record.state else { return }
        let source = try source(of: record)
        try verify(record, in: source.folder, source.name)
        let area = try staging.area(for: source.folder)
        let name = area.bytes(.parked(record.node))
        try hook(.beforePark)
        try whileWritable(source.folder) { try source.folder.rename(source.name, to: area.folder, name) }
        try hook(.afterPark)
        let parked = try arrived(record, area.folder, name, from: source)
        parkings[record.node] = area
        var record = record
        // If someone wrote to it in the last moment, what was noted no longer holds: the move out of the parking area
        // is then refused, and recovery has the next scan read it.
        if parked.isSameVersionMoved(as: record.fingerprint) { record.fingerprint = parked }
        record.condition = .parked(state)
        try note(record, in: source.folder)
    }

    struct Source {
        let folder: OpenFile
        let name: [UInt8]
    }

    /// Where a node is now: in the tree, or in the parking area.
    func source(of record: LocalRecord) throws -> Source {
        if let placement = record.placement {
            return Source(folder: try folder(of: placement.parent), name: placement.name.bytes)
        }
        if let area = try parkings[record.node] ?? staging.area(holding: .parked(record.node)) {
            return Source(folder: area.folder, name: area.bytes(.parked(record.node)))
        }
        throw ClientError(.notFound, "a node that is to move is not on disk")
    }

    /// Looks at what a rename has moved. If it is not what was meant, it goes back.
    private func arrived(
        _ record: LocalRecord, _ folder: OpenFile, _ name: [UInt8], from source: Source
    ) throws -> Fingerprint {
        let found = try folder.status(of: name)
        if let found, found.isSameInode(as: record.fingerprint) || found.isSameVersionMoved(as: record.fingerprint) {
            return found
        }
        // Where births are not recorded, a file that was written to in the last moment is known by its number alone.
        if let found, found.born == 0, found.inode == record.fingerprint.inode { return found }
        if found != nil { try folder.rename(name, to: source.folder, source.name) }
        throw ClientError(
            .changedMeanwhile, "'\(source.folder.path.appending(source.name))' was replaced while it was moved")
    }

    /// What a node is at its new place. A file that was written to in the last moment has to be read again.
    private func at(_ placement: Placement, _ record: LocalRecord, _ found: Fingerprint) -> LocalRecord {
        var moved = record
        moved.fingerprint = found
        let isSeen = found.kind == .folder || found.isSameVersionMoved(as: record.fingerprint)
        if isSeen, var state = record.state {
            state.placement = placement
            moved.condition = .present(state)
            moved.isRacy = found.isRacy(readAt: clock.now())
        } else {
            moved.condition = .unread(placement)
        }
        return moved
    }
}
