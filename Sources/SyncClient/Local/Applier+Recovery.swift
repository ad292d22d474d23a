import Glibc
import Model
import SyncPlanning

/// Clearing up after a run that was killed.
extension Applier {
    /// Deals with everything that a killed run has left in the staging areas: call it before the first scan.
    ///
    /// What belongs to the user goes back to its place, or beside it when the place is taken; what was displaced and
    /// had been seen goes; what was half built stays, so that its blocks need not come again, until ``finish()``.
    /// - Returns: The steps of nothing: only problems and what was kept are in the report.
    func recover() throws -> ApplierReport {
        report = ApplierReport()
        changes = [:]
        try database.write { try RecipeSpool.removeLeftovers(of: link.id, $0) }
        try adoptIntents()
        try closeFolders()
        for area in try staging.existing() {
            for name in try area.entries() {
                do {
                    try recover(name, in: area)
                } catch let error as ClientError {
                    let path = try path(of: name.node) ?? .root
                    report.outcomes.append(.failed(Problem(path: path, error)))
                }
            }
            try area.folder.sync()
        }
        try noteChanges()
        return report
    }

    private func recover(_ name: StagedName, in area: StagingArea) throws {
        guard let found = try area.status(name) else { return }
        switch name {
        case .built: return
        case .swapped(_, let inode) where inode == found.inode: try area.remove(name)
        case .swapped(let node, _): try recoverDisplaced(name, node, in: area)
        case .removed(let node): try putBack(name, node, in: area, mayStayParked: false)
        case .parked(let node): try putBack(name, node, in: area, mayStayParked: true)
        }
    }

    /// The new file is in its place. What was there is what was seen, or it is kept.
    private func recoverDisplaced(_ name: StagedName, _ node: NodeID, in area: StagingArea) throws {
        // As it was noted before the swap, whatever has come of the node by now.
        let record = try database.read { try LocalView($0, link: link.id).record(of: node) }
        let place = try place(of: node)
        try settle(displaced: name, in: area, record, of: place.folder, place.name)
    }

    private func putBack(_ name: StagedName, _ node: NodeID, in area: StagingArea, mayStayParked: Bool) throws {
        let record = try record(of: node)
        let place = try place(of: node)
        do {
            try whileWritable(place.folder) {
                try area.folder.rename(area.bytes(name), to: place.folder, place.name.bytes)
            }
        } catch let error as ClientError where error.code == .alreadyExists || error.errno == EXDEV {
            // What was moved out of the way of something else waits for the move that was to follow.
            if mayStayParked, let record { return try stayParked(record, area, name) }
            try keep(name, in: area, beside: place.folder, place.name)
            return
        }
        if var record, case .parked(let state) = record.condition, place.isOwn {
            record.condition = .present(state)
            if let found = try place.folder.status(of: place.name.bytes),
                found.isSameVersionMoved(as: record.fingerprint)
            {
                record.fingerprint = found
            }
            changes[node] = record
        } else if var record, case .parked = record.condition {
            record.condition = .removed
            changes[node] = record
        }
        try place.folder.sync()
    }

    private func stayParked(_ record: LocalRecord, _ area: StagingArea, _ name: StagedName) throws {
        var record = record
        guard let state = try record.state ?? syncedState(of: record.node) else { return }
        parkings[record.node] = area
        if let found = try area.status(name), found.isSameVersionMoved(as: record.fingerprint) {
            record.fingerprint = found
        }
        record.condition = .parked(state)
        changes[record.node] = record
    }

    private func syncedState(of node: NodeID) throws -> NodeState? {
        try database.read { try LocalView($0, link: link.id).lastState(of: node) }
    }

    private struct Place {
        let folder: OpenFile
        let name: NodeName
        /// Whether it is the place of the node, and not one where it is merely found.
        let isOwn: Bool
    }

    /// Where a node was, or, if nobody knows any more or that folder is gone, a place at the top of the linked folder.
    private func place(of node: NodeID) throws -> Place {
        let record = try record(of: node)
        let placement = try record?.placement ?? record?.state?.placement ?? syncedState(of: node)?.placement
        guard let placement else {
            return Place(folder: folder.handle, name: try NodeName("recovered \(node.hex.prefix(8))"), isOwn: false)
        }
        if let parent = try? folder(of: placement.parent) {
            return Place(folder: parent, name: placement.name, isOwn: true)
        }
        return Place(folder: folder.handle, name: placement.name, isOwn: false)
    }
}
