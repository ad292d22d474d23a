internal import Model

/// One node that differs somewhere, as all three trees have it, and as it is to be.
struct MergeEntry {
    /// What was agreed on.
    var synced: NodeRecord?
    /// What the server has.
    var remote: NodeState?
    /// The base of the next change.
    var base: Revision = .zero
    /// Whether the server's node is another than, or at another revision than, what was agreed on.
    var remoteDiffers = false
    /// What is on disk, under the identities of the plan; nil when nothing is.
    var disk: LocalNode?
    /// What is to be on both sides; nil when nothing is.
    var merged: NodeState?

    /// Where it is on disk; nil when it is not there or is parked.
    var diskPlacement: Placement? {
        if case .present(let state) = disk { state.placement } else { nil }
    }

    /// The state of the first tree that has one: what the node would be if it had to be.
    var restored: NodeState? { disk?.state ?? remote ?? synced?.state }

    /// Whether it may turn out to be a node of the server's under another id.
    var mayAdopt: Bool { remote == nil && diskPlacement != nil }

    /// Where it goes if where it is to be closes a cycle.
    var fallbackPlacement: Placement? {
        if let remote { return remote.placement }
        // Of something parked, only the place where it once was is known.
        guard case .parked(let state) = disk else { return merged?.placement }
        return Placement(parent: .root, name: state.name)
    }

    /// Whether it is a folder that could be put elsewhere than it is to be.
    var hasFallback: Bool {
        guard let merged, merged.payload.isFolder else { return false }
        return merged.placement != fallbackPlacement
    }

    /// How good its claim to its place is; the least is the best.
    var claim: Int {
        guard let place = merged?.placement else { return 3 }
        if remote?.placement == place { return 0 }
        return diskPlacement == place ? 1 : 2
    }

    /// Whether something is to be done on disk.
    var needsLocalWork: Bool {
        switch (disk, merged) {
        case (nil, nil): false
        case (.present(let state), let merged?): !state.agrees(with: merged)
        default: true
        }
    }

    /// Whether something is to be done on the server.
    var needsRemoteWork: Bool {
        switch (remote, merged) {
        case (nil, nil): false
        case (let remote?, let merged?): !remote.agrees(with: merged)
        default: true
        }
    }
}
