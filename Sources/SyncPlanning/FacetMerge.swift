internal import Model

/// Merges one node, facet by facet: its placement, its payload, its mode, its time.
///
/// What only one side changed, that side decides. What both changed, the remote side decides; but bytes are never
/// decided against: of two payloads the remote one stays in the node, and the local one becomes a node of its own.
enum FacetMerge {
    enum Outcome: Hashable {
        /// The node is to be nowhere.
        case gone
        /// The node is to be so on both sides.
        case one(NodeState)
        /// The node is to be so on both sides, and what is on disk becomes a conflicted copy.
        case both(NodeState)
    }

    static func merge(synced: NodeState?, remote: NodeState?, local: LocalNode?) -> Outcome {
        guard let disk = local?.state else {
            guard let remote, isWorthKeeping(remote, since: synced) else { return .gone }
            return .one(remote)
        }
        guard let remote else {
            let kept = isWorthKeeping(local?.asUnparked(since: synced) ?? disk, since: synced)
            return kept ? .one(disk) : .gone
        }
        let placed = placement(synced: synced, remote: remote, local: local) ?? disk.placement
        if payloadsConflict(synced: synced, remote: remote, local: disk) {
            var winner = remote
            winner.placement = placed
            return .both(winner)
        }
        return .one(merged(synced: synced, remote: remote, local: disk, placement: placed))
    }

    /// A change beats a removal on the other side if it is one of bytes or place; mode and time alone are not worth
    /// bringing something back for.
    private static func isWorthKeeping(_ state: NodeState, since synced: NodeState?) -> Bool {
        guard let synced else { return true }
        return state.payload != synced.payload || state.placement != synced.placement
    }

    /// Nil when the local side decides.
    private static func placement(synced: NodeState?, remote: NodeState, local: LocalNode?) -> Placement? {
        if case .parked = local { return remote.placement }
        guard let synced else { return remote.placement }
        return remote.placement == synced.placement ? nil : remote.placement
    }

    private static func payloadsConflict(synced: NodeState?, remote: NodeState, local: NodeState) -> Bool {
        guard remote.payload != local.payload else { return false }
        guard let synced else { return true }
        return remote.payload != synced.payload && local.payload != synced.payload
    }

    private static func merged(
        synced: NodeState?, remote: NodeState, local: NodeState, placement: Placement
    ) -> NodeState {
        var result = remote
        result.placement = placement
        guard let synced else { return result }
        let takesLocalBytes = remote.payload == synced.payload && local.payload != synced.payload
        if takesLocalBytes {
            // The time tells when these bytes were written: it goes with them.
            (result.payload, result.modified) = (local.payload, local.modified)
        } else if remote.payload == synced.payload, remote.modified == synced.modified, remote.hasTime {
            result.modified = local.modified
        }
        let takesLocalMode = local.hasMode && (!remote.hasMode || remote.mode == synced.mode)
        if result.hasMode ? takesLocalMode : takesLocalBytes { result.mode = local.mode }
        return result
    }
}

extension LocalNode {
    /// The state on disk, with parking not counted as a move.
    fileprivate func asUnparked(since synced: NodeState?) -> NodeState? {
        guard case .parked(var state) = self, let synced else { return state }
        state.placement = synced.placement
        return state
    }
}
