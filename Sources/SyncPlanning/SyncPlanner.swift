public import Model

/// Plans how the disk of this device and the server become one again. See `docs/planner.md` for the decision table.
///
/// There are three trees: *synced* is what both last agreed on, *remote* what the server has now, *local* what the
/// scanner found on disk. The last two are given by how they differ from the first:
///
/// - Every node that differs is named, also every node within a folder that was removed; an entry that does not differ
///   does no harm. Each of the two is a tree: it has no cycle, every parent in it is a folder of it (or the root), and
///   no two nodes share a place. The root is in neither.
/// - What is new on disk bears an id that the scanner drew and keeps until a plan renames it. A folder never becomes a
///   file or link under the same id, nor they a folder; a file may become a link.
///
/// The planner does no input or output of its own, has no state, and is deterministic.
public struct SyncPlanner: Sendable {
    let naming: ConflictNaming

    /// Makes a planner.
    /// - Parameters:
    ///   - device: The name of this device, for conflicted names.
    ///   - date: The date of today as `YYYY-MM-DD`, for conflicted names.
    public init(device: String, date: String) {
        naming = ConflictNaming(device: device, date: date)
    }

    /// Plans.
    ///
    /// Takes O(c · d) time and O(c) space for c changed nodes at depth d at most.
    /// - Parameters:
    ///   - synced: What both sides last agreed on.
    ///   - remote: How the server differs from it.
    ///   - local: How the disk differs from it.
    ///   - generator: The source of ids for conflicted copies.
    /// - Returns: What is to be done. It is empty exactly when nothing differs.
    /// - Throws: What `synced` throws.
    public func plan(
        synced: some SyncedTree, remote: [NodeID: RemoteNode], local: [NodeID: LocalNode],
        using generator: inout some RandomNumberGenerator
    ) throws -> Plan {
        var merger = try Merger(tree: synced, remote: remote, local: local)
        try merger.merge(naming: naming, using: &generator)
        let (entries, order) = (merger.entries, merger.order)
        let folders = FolderWalk { try synced.record(of: $0)?.state.parent }
        var plan = Plan()
        plan.identities = merger.identities
        plan.local = try LocalSchedule.actions(entries: entries, order: order, folders: folders)
        plan.remote = try RemoteSchedule.groups(entries: entries, order: order, folders: folders)
        plan.settled = order.compactMap { node in entries[node].flatMap { Self.settlement(of: node, $0) } }
        plan.conflicts = merger.conflicts
        return plan
    }

    private static func settlement(of node: NodeID, _ entry: MergeEntry) -> Plan.Settlement? {
        guard entry.remoteDiffers else { return nil }
        switch (entry.remote, entry.merged) {
        case (let state?, .some):
            return Plan.Settlement(node: node, record: NodeRecord(node: node, revision: entry.base, state: state))
        case (nil, nil):
            return Plan.Settlement(node: node, record: nil)
        default:
            // One side is to get or to lose it by our commit, which settles it.
            return nil
        }
    }
}
