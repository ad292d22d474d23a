import Metadata
import Model

/// Turns goals into changes that the tree accepts: a pure function of both.
///
/// Goals that can't be met are left out with the reason, and with them those that only these made possible, until the
/// rest would pass every rule of `CommitValidation`. What is as it shall be already needs no change.
struct Settlement<Tree: PresentTree> {
    private let tree: Tree
    /// Gives a node another name when its own is taken, by how many were tried before; nil leaves it as it is.
    private let otherName: ((NodeName, Int) -> NodeName?)?

    private var pending: [NodeID: NodeChange] = [:]
    private var left: [NodeID: LeftReason] = [:]
    private var known: [NodeID: NodeHistory] = [:]
    private var unknown: Set<NodeID> = []
    private var sources: [NodeID: ChangePosition] = [:]

    private init(_ tree: Tree, otherName: ((NodeName, Int) -> NodeName?)?) {
        self.tree = tree
        self.otherName = otherName
    }

    /// The changes for some goals, each of another node; `made` are new nodes that the goals count on.
    /// - Complexity: O(goals), and the depth of the tree for folders that move; again for each round in which some of
    ///   them are left out.
    static func plan(
        _ goals: [NodeGoal], made: [NodeChange] = [], left: [NodeID: LeftReason] = [:], in tree: Tree,
        otherName: ((NodeName, Int) -> NodeName?)? = nil
    ) throws -> HistoryPlan {
        var settlement = Settlement(tree, otherName: otherName)
        settlement.left = left
        for change in made { settlement.pending[change.node] = change }
        try settlement.begin(goals)
        while try settlement.dropWhatCannotBe() {}
        return HistoryPlan(
            changes: settlement.pending.values.sorted { $0.node < $1.node }, before: settlement.known,
            left: settlement.left, sources: settlement.sources)
    }

    private mutating func begin(_ goals: [NodeGoal]) throws {
        known = try tree.histories(of: goals.map(\.node))
        for goal in goals {
            guard let history = known[goal.node] else {
                if goal.state != nil {
                    sources[goal.node] = goal.source
                    pending[goal.node] = NodeChange(node: goal.node, base: .zero, state: goal.state)
                }
                continue
            }
            guard history.state != goal.state else { continue }
            if let state = goal.state, !goal.isKept, history.state?.payload != state.payload {
                left[goal.node] = .notKept
                continue
            }
            // What it holds now is kept as long as it does.
            if history.state?.payload != goal.state?.payload, goal.state != nil { sources[goal.node] = goal.source }
            pending[goal.node] = NodeChange(node: goal.node, base: history.base, state: goal.state)
        }
    }

    /// One round. Whether there has to be another.
    private mutating func dropWhatCannotBe() throws -> Bool {
        let places = Dictionary(grouping: pending.values.filter { $0.state != nil }) { change in
            Place(parent: change.state?.parent ?? .root, name: change.state?.name)
        }
        var dropped: [NodeID: LeftReason] = [:]
        var renamed: [NodeID: NodeState] = [:]
        var claimed: Set<Place> = []
        for change in pending.values.sorted(by: { $0.node < $1.node }) {
            switch try problem(of: change, places) {
            case nil: continue
            case .nameTaken?:
                if let state = try renaming(change, places, claimed) {
                    renamed[change.node] = state
                    claimed.insert(Place(parent: state.parent, name: state.name))
                } else {
                    dropped[change.node] = .nameTaken
                }
            case let reason?: dropped[change.node] = reason
            }
        }
        for (node, reason) in dropped {
            pending[node] = nil
            left[node] = reason
        }
        for (node, state) in renamed {
            guard let change = pending[node] else { continue }
            pending[node] = NodeChange(node: node, base: change.base, state: state)
        }
        return !dropped.isEmpty || !renamed.isEmpty
    }

    private struct Place: Hashable {
        let parent: NodeID
        let name: NodeName?
    }

    private mutating func problem(
        of change: NodeChange, _ places: [Place: [NodeChange]]
    ) throws -> LeftReason? {
        guard let state = change.state else {
            guard try present(change.node)?.payload.isFolder == true else { return nil }
            let staying = try tree.children(of: change.node).contains { try final($0)?.parent == change.node }
            return staying ? .folderNotEmpty : nil
        }
        if state.parent != .root, try final(state.parent)?.payload.isFolder != true { return .folderMissing }
        if state.payload.isFolder, try isWithinItself(change.node) { return .cycle }
        if try isTaken(state.parent, state.name, by: change.node, places) { return .nameTaken }
        return nil
    }

    private mutating func isTaken(
        _ parent: NodeID, _ name: NodeName, by node: NodeID, _ places: [Place: [NodeChange]]
    ) throws -> Bool {
        if let occupant = try tree.occupant(of: parent, name) {
            if occupant == node { return false }
            if let there = try final(occupant), there.parent == parent, there.name == name { return true }
        }
        // Of several that come, the one with the smallest id has the place.
        return places[Place(parent: parent, name: name)]?.contains { $0.node < node } ?? false
    }

    private mutating func renaming(
        _ change: NodeChange, _ places: [Place: [NodeChange]], _ claimed: Set<Place>
    ) throws -> NodeState? {
        guard let otherName, var state = change.state, let original = change.state?.name else { return nil }
        for attempt in 0..<1000 {
            guard let name = otherName(original, attempt) else { return nil }
            let place = Place(parent: state.parent, name: name)
            let isWanted = places[place] != nil || claimed.contains(place)
            if try !isWanted && !isTaken(state.parent, name, by: change.node, places) {
                state.name = name
                return state
            }
        }
        return nil
    }

    private mutating func isWithinItself(_ folder: NodeID) throws -> Bool {
        guard let history = known[folder], let parent = pending[folder]?.state?.parent,
            history.state.map({ $0.parent != parent }) ?? true
        else { return false }
        var walked: Set<NodeID> = [folder]
        var node = parent
        while node != .root {
            guard walked.insert(node).inserted else { return true }
            guard let above = try final(node)?.parent else { return false }
            node = above
        }
        return false
    }

    /// The state of a node when all that is pending is done.
    private mutating func final(_ node: NodeID) throws -> NodeState? {
        if let change = pending[node] { return change.state }
        return try present(node)
    }

    private mutating func present(_ node: NodeID) throws -> NodeState? {
        if let history = known[node] { return history.state }
        if unknown.contains(node) { return nil }
        if let history = try tree.histories(of: [node])[node] {
            known[node] = history
            return history.state
        }
        unknown.insert(node)
        return nil
    }
}
