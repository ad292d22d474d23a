internal import Model

/// Merges the three trees into one: the phases of a plan before any step is ordered.
struct Merger<Tree: SyncedTree> {
    let tree: Tree
    /// All nodes that differ somewhere. Every other node is the same in all trees and stays as it is.
    var entries: [NodeID: MergeEntry] = [:]
    /// The ids of the entries in the order in which they are treated, so that a plan is the same each time.
    var order: [NodeID] = []
    /// Which entry the server has at a place.
    var remotePlaces: [Placement: NodeID] = [:]
    var identities: [Plan.Identity] = []
    var conflicts: [Plan.Conflict] = []

    init(tree: Tree, remote: [NodeID: RemoteNode], local: [NodeID: LocalNode]) throws {
        self.tree = tree
        order = Set(remote.keys).union(local.keys).sorted()
        entries.reserveCapacity(order.count)
        for node in order {
            let entry = Self.entry(synced: try tree.record(of: node), remote: remote[node], local: local[node])
            entries[node] = entry
            if let state = entry.remote { remotePlaces[state.placement] = node }
        }
    }

    private static func entry(synced: NodeRecord?, remote: RemoteNode?, local: LocalNode?) -> MergeEntry {
        var entry = MergeEntry(synced: synced)
        if let remote {
            entry.remote = remote.state
            entry.base = remote.revision
            // A tombstone of what was never agreed on is nothing to settle.
            let record = remote.state == nil ? nil : remote.revision
            entry.remoteDiffers = record != synced?.revision || remote.state != synced?.state
        } else {
            entry.remote = synced?.state
            entry.base = synced?.revision ?? .zero
        }
        switch local {
        case .removed: entry.disk = nil
        case let local?: entry.disk = local
        case nil: entry.disk = synced.map { .present($0.state) }
        }
        return entry
    }

    /// What a conflict of bytes split off.
    struct Copy {
        let node: NodeID
        let original: NodeID
    }

    /// Which node the server has at a place.
    func remoteChild(at place: Placement) throws -> NodeID? {
        if let node = remotePlaces[place] { return node }
        guard let node = try tree.child(of: place.parent, named: place.name), entries[node] == nil else { return nil }
        return node
    }

    /// Runs all phases.
    mutating func merge(naming: ConflictNaming, using generator: inout some RandomNumberGenerator) throws {
        try adoptIdentities()
        let copies = mergeFacets(using: &generator)
        try breakCycles()
        try restoreParents()
        try resolveNames(naming: naming, copies: copies)
    }

    /// Merges each node by itself.
    /// - Returns: The copies split off, each with the node that it was.
    private mutating func mergeFacets(using generator: inout some RandomNumberGenerator) -> [Copy] {
        var copies: [Copy] = []
        for node in order {
            guard var entry = entries[node] else { continue }
            switch FacetMerge.merge(synced: entry.synced?.state, remote: entry.remote, local: entry.disk) {
            case .gone: entry.merged = nil
            case .one(let state): entry.merged = state
            case .both(let winner):
                let copy = NodeID(using: &generator)
                var loser = entry.disk?.state
                loser?.placement = winner.placement
                entries[copy] = MergeEntry(disk: entry.disk, merged: loser)
                identities.append(Plan.Identity(old: node, new: copy))
                copies.append(Copy(node: copy, original: node))
                entry.disk = nil
                entry.merged = winner
            }
            entries[node] = entry
        }
        order += copies.map(\.node)
        return copies
    }
}
