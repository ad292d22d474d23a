import Model
import SyncPlanning

/// One scan under way: the folders still to visit, and what became of the nodes met so far.
final class ScanPass {
    /// A folder to visit.
    struct Visit {
        let node: NodeID
        let path: LocalPath
        /// What the folder was when its entry was looked at; another one there now is a change under the scan.
        let expected: Fingerprint
        /// The device that the folder was on when it was noted; nil for one that was not.
        let notedDevice: UInt64?
        /// Whether known folders in it are visited too.
        let recursive: Bool
    }

    /// A folder where another one was noted: which of them it is shows when all places have been seen.
    struct Replacement {
        let noted: LocalRecord
        let placement: Placement
        let path: LocalPath
        let fingerprint: Fingerprint
    }

    let folder: LinkedFolder
    let link: LinkRecord
    let clock: any WallClock
    private let database: ClientDatabase
    var generator: any RandomNumberGenerator
    var report = ScanReport()

    var visits: [Visit] = []
    private var visited: Set<NodeID> = []
    /// What is to be noted, not yet written.
    var pending: [LocalRecord] = []
    /// Nodes that a place has been found for, or confirmed, in this scan.
    var claimed: Set<NodeID> = []
    /// Nodes that were not found where they were noted.
    var vanished: [NodeID: LocalRecord] = [:]
    var replacements: [Replacement] = []

    init(
        folder: LinkedFolder, link: LinkRecord, database: ClientDatabase, clock: any WallClock,
        generator: any RandomNumberGenerator
    ) {
        self.folder = folder
        self.link = link
        self.database = database
        self.clock = clock
        self.generator = generator
    }

    func enterRoot(recursive: Bool) {
        visits.append(
            Visit(
                node: link.root, path: .root, expected: folder.fingerprint, notedDevice: folder.fingerprint.device,
                recursive: recursive))
    }

    /// Adds a folder, or the nearest one above it that is known and where it was.
    func enter(_ path: LocalPath) throws {
        guard let parent = path.parent else { return enterRoot(recursive: false) }
        let record = try database.read { connection -> LocalRecord? in
            let view = LocalView(connection, link: link.id)
            return try view.node(at: path, root: link.root).flatMap { try view.record(of: $0) }
        }
        guard let record, let found = try? folder.handle.folder(at: path).status(),
            found.isSameInode(as: record.fingerprint)
        else { return try enter(parent) }
        visits.append(
            Visit(
                node: record.node, path: path, expected: found, notedDevice: record.fingerprint.device,
                recursive: false))
    }

    /// Visits all folders, decides what became of what was not found, and writes it down.
    func run() throws {
        repeat {
            while let visit = visits.popLast() {
                if !visited.insert(visit.node).inserted {
                    guard visit.recursive else { continue }
                    // What the first visit found is to be noted, so that the second one does not take it for new.
                    try flush()
                }
                try self.visit(visit)
                if pending.count >= Self.flushCount { try flush() }
            }
            resolveReplacements()
        } while !visits.isEmpty
        try flush()
        // A linked folder that went away under the scan looks as if everything in it had been removed.
        if !vanished.isEmpty { _ = try LinkedFolder(link) }
        try removeVanished()
        try flush()
    }

    /// How many changes go into one transaction.
    private static let flushCount = 1000

    private func visit(_ visit: Visit) throws {
        do {
            let handle = try folder.handle.folder(at: visit.path)
            guard try handle.status().isSameInode(as: visit.expected) else { return unsettle(visit.path) }
            let listing = try FolderListing(handle)
            try database.read { connection in
                var merge = FolderMerge(self, visit, handle, listing, LocalView(connection, link: link.id))
                try merge.run()
            }
        } catch let error as ClientError where error.code == .notFound || error.code == .notFolder {
            unsettle(visit.path)
        } catch let error as ClientError where error.errno != 0 {
            report.problems.append(Problem(path: visit.path, error))
        }
    }

    /// Has the folder around a path scanned again: the entry changed under this scan.
    private func unsettle(_ path: LocalPath) {
        report.unsettled.insert(path.parent ?? .root)
    }

    /// A folder that is another than the one noted at its place keeps the node, unless the noted one was found
    /// elsewhere: a program may well replace a folder by a copy of it.
    private func resolveReplacements() {
        let undecided = replacements
        replacements = []
        for replacement in undecided {
            var record = replacement.noted
            if claimed.contains(record.node) {
                note(newFolder: replacement.placement, replacement.fingerprint, replacement.path)
                continue
            }
            claimed.insert(record.node)
            guard case .present(var state) = record.condition else { continue }
            state.mode = replacement.fingerprint.permissions
            record.condition = .present(state)
            record.fingerprint = replacement.fingerprint
            note(record)
            descend(record, replacement.path)
        }
    }

    /// Notes as removed what was found nowhere, with all that was in it and was not found elsewhere.
    private func removeVanished() throws {
        var gone = vanished.values.filter { !claimed.contains($0.node) }
        vanished = [:]
        while var record = gone.popLast() {
            if record.fingerprint.kind == .folder {
                gone += try database.read { try LocalView($0, link: link.id).children(of: record.node) }
                    .filter { !claimed.contains($0.node) }
            }
            record.condition = .removed
            note(record)
            if pending.count >= Self.flushCount { try flush() }
        }
    }

    private func flush() throws {
        if pending.isEmpty { return }
        try database.write { try LocalQueries($0, link: link.id).note(pending) }
        pending.removeAll(keepingCapacity: true)
    }

    func note(_ record: LocalRecord) {
        report.changes += 1
        pending.append(record)
    }

    /// Has a folder that is new here, or may have changed within, visited with all folders in it.
    func descend(_ record: LocalRecord, _ path: LocalPath) {
        visits.append(
            Visit(
                node: record.node, path: path, expected: record.fingerprint, notedDevice: record.fingerprint.device,
                recursive: true))
    }

    func note(newFolder placement: Placement, _ fingerprint: Fingerprint, _ path: LocalPath) {
        let state = NodeState(
            parent: placement.parent, name: placement.name, payload: .folder, mode: fingerprint.permissions,
            modified: Timestamp(nanoseconds: fingerprint.modified))
        let record = LocalRecord(
            node: NodeID(using: &generator), condition: .present(state), fingerprint: fingerprint)
        note(record)
        descend(record, path)
    }
}
