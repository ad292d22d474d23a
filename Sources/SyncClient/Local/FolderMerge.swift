import Glibc
import Model
import SyncPlanning

/// Holds the names in one folder beside the nodes noted there: both in the order of their names, each looked at once.
struct FolderMerge {
    let pass: ScanPass
    let visit: ScanPass.Visit
    let handle: OpenFile
    let listing: FolderListing
    let view: LocalView

    init(
        _ pass: ScanPass, _ visit: ScanPass.Visit, _ handle: OpenFile, _ listing: FolderListing, _ view: LocalView
    ) {
        self.pass = pass
        self.visit = visit
        self.handle = handle
        self.listing = listing
        self.view = view
    }

    /// Where the columns of the child query are: see ``LocalView/childQuery(_:)``.
    private enum Column {
        static let condition: Int32 = 1
        static let name: Int32 = 3
        static let kind: Int32 = 4
        static let fingerprint: Int32 = 2 + NodeColumns.stateCount
    }

    mutating func run() throws {
        let noted = try view.childQuery(visit.node)
        defer { noted.reset() }
        var hasNoted = try noted.step()
        var index = 0
        while index < listing.count || hasNoted {
            let order = index == listing.count ? 1 : hasNoted ? compare(index, noted) : -1
            if order < 0 {
                try meet(new: index)
            } else if order > 0 {
                try miss(LocalRecord(noted))
            } else {
                try meet(index, noted)
            }
            if order <= 0 { index += 1 }
            if order >= 0 { hasNoted = try noted.step() }
        }
    }

    /// Where the name at an index stands against that of the noted node.
    private func compare(_ index: Int, _ noted: PreparedQuery) -> Int {
        listing.withName(index) { left in
            noted.withBytes(Column.name) { right in
                guard let one = left.baseAddress, let other = right.baseAddress else { return left.count - right.count }
                let order = memcmp(one, other, min(left.count, right.count))
                return order != 0 ? Int(order) : left.count - right.count
            }
        }
    }

    /// An entry whose name is noted. What is as it was noted costs one `statx`, and no memory.
    private func meet(_ index: Int, _ noted: PreparedQuery) throws {
        switch try look(index) {
        case .unknown: return
        case .absent: try miss(LocalRecord(noted))
        case .entry(let found):
            if try isUnchanged(found, noted), try pass.claimed.isEmpty || !pass.claimed.contains(noted.identifier(0)) {
                if visit.recursive, found.kind == .folder { pass.descend(try LocalRecord(noted), path(index)) }
                return
            }
            try change(index, found, LocalRecord(noted))
        }
    }

    private func isUnchanged(_ found: Fingerprint, _ noted: PreparedQuery) throws -> Bool {
        let known = noted.fingerprint(Column.fingerprint)
        // The times and the size of a folder change with every entry; the entries are looked at anyway.
        if found.kind == .folder { return found.isSameInode(as: known) && found.mode == known.mode }
        return found.isSameVersion(as: known) && !noted.isRacy(Column.fingerprint)
    }

    /// An entry whose name is not noted.
    private func meet(new index: Int) throws {
        if listing.withName(index, { LinkedFolder.isReserved($0) }) { return }
        if case .entry(let found) = try look(index) { try appear(index, found) }
    }

    /// A node that is not where it was noted.
    func miss(_ record: LocalRecord) throws {
        if !pass.claimed.contains(record.node) { pass.vanished[record.node] = record }
    }

    private enum Look {
        case entry(Fingerprint)
        case absent
        /// It could not be looked at: nothing is known of it, and nothing noted.
        case unknown
    }

    private func look(_ index: Int) throws -> Look {
        pass.report.entries += 1
        do {
            return try listing.withCName(index) { try handle.status(ofCName: $0) }.map { .entry($0) } ?? .absent
        } catch let error as ClientError {
            pass.report.problems.append(Problem(path: path(index), error))
            return .unknown
        }
    }

    func path(_ index: Int) -> LocalPath { listing.withName(index) { visit.path.appending($0) } }

    func placement(_ index: Int) throws -> Placement {
        Placement(parent: visit.node, name: try NodeName(bytes: listing[index]))
    }
}
