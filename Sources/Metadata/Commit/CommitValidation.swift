public import Model

/// Decides whether a change-set may be committed: a pure function of it and of the tree that it meets.
///
/// Every change is judged by the tree as it would be after all of them, so names may be swapped and folders may change
/// places within one commit. The rules:
///
/// 1. The root can't be changed.
/// 2. The base is the revision that gave the node its present state. Revision 0 says that the node never existed: ids
///    are not used twice. A node that was removed can be restored, by a state whose base is the revision that removed
///    it.
/// 3. A folder stays a folder, also over a removal; files and links may become one another.
/// 4. The parent is a folder afterwards.
/// 5. No folder is within itself afterwards.
/// 6. No two entries of a folder have the same name afterwards.
/// 7. A folder that is removed is empty afterwards.
///
/// A refused change is named once, with the first of these rules that it breaks.
public struct CommitValidation: Sendable {
    private let changes: [NodeChange]
    private let byNode: [NodeID: NodeChange]
    private let surroundings: CommitSurroundings

    /// Prepares to judge a change-set, which has at most one change for each node.
    public init(_ changes: [NodeChange], in surroundings: CommitSurroundings) {
        self.changes = changes
        self.surroundings = surroundings
        byNode = Dictionary(changes.map { ($0.node, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The changes that can't be, ordered by node; none when all of them can.
    /// - Complexity: O(changes), and for moved folders the depth of the tree.
    public func refusals() -> [Refusal] {
        let crowded = crowdedPlaces()
        let circular = CycleSearch(byNode, in: surroundings).foldersWithinThemselves()
        let leaving = leavingCounts()
        return changes.compactMap { change in
            let reason =
                baseRefusal(change) ?? kindRefusal(change) ?? parentRefusal(change)
                ?? (circular.contains(change.node) ? .cycle : nil)
                ?? nameRefusal(change, crowded: crowded) ?? emptinessRefusal(change, leaving: leaving)
            return reason.map { Refusal(node: change.node, reason: $0) }
        }.sorted { $0.node < $1.node }
    }

    private func baseRefusal(_ change: NodeChange) -> RefusalReason? {
        if change.node == .root { return .kindChanged }
        guard let history = surroundings.histories[change.node] else {
            return change.base == .zero && change.state != nil ? nil : .stale(current: nil)
        }
        if let current = history.current { return change.base == current.revision ? nil : .stale(current: current) }
        let restores = change.state != nil && change.base == history.removed
        return restores ? nil : .stale(current: nil)
    }

    private func kindRefusal(_ change: NodeChange) -> RefusalReason? {
        guard let state = change.state, let before = surroundings.histories[change.node]?.latest.state else {
            return nil
        }
        return state.payload.isFolder == before.payload.isFolder ? nil : .kindChanged
    }

    private func parentRefusal(_ change: NodeChange) -> RefusalReason? {
        guard let parent = change.state?.parent, parent != .root else { return nil }
        let after = byNode[parent].map(\.state) ?? surroundings.current(parent)?.state
        return after?.payload.isFolder == true ? nil : .parentMissing
    }

    private func nameRefusal(_ change: NodeChange, crowded: [NodePlace: [NodeID]]) -> RefusalReason? {
        guard let place = change.state?.place else { return nil }
        if let other = crowded[place]?.first(where: { $0 != change.node }) { return .nameTaken(by: other) }
        // Who is there now and is changed too has been counted where it goes.
        guard let occupant = surroundings.occupants[place], byNode[occupant] == nil else { return nil }
        return .nameTaken(by: occupant)
    }

    private func emptinessRefusal(_ change: NodeChange, leaving: [NodeID: Int]) -> RefusalReason? {
        guard change.state == nil, let entries = surroundings.entryCounts[change.node] else { return nil }
        return entries > leaving[change.node, default: 0] ? .folderNotEmpty : nil
    }

    /// The places that more than one of the changed nodes wants.
    private func crowdedPlaces() -> [NodePlace: [NodeID]] {
        var first: [NodePlace: NodeID] = [:]
        var crowded: [NodePlace: [NodeID]] = [:]
        first.reserveCapacity(changes.count)
        for change in changes {
            guard change.node != .root, let place = change.state?.place else { continue }
            if let other = first[place] {
                crowded[place, default: [other]].append(change.node)
            } else {
                first[place] = change.node
            }
        }
        return crowded
    }

    /// How many entries leave each of the removed folders.
    private func leavingCounts() -> [NodeID: Int] {
        surroundings.entryCounts.isEmpty ? [:] : Self.leavingCounts(changes, in: surroundings)
    }

    /// How many of the changes take an entry out of each folder.
    static func leavingCounts(_ changes: [NodeChange], in surroundings: CommitSurroundings) -> [NodeID: Int] {
        var counts: [NodeID: Int] = [:]
        for change in changes {
            guard let parent = surroundings.current(change.node)?.state.parent else { continue }
            if change.state?.parent != parent { counts[parent, default: 0] += 1 }
        }
        return counts
    }
}

extension NodeState {
    /// Where the node is.
    var place: NodePlace { NodePlace(parent: parent, name: name) }
}
