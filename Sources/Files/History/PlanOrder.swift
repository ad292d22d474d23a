import Metadata
import Model

/// Cuts the changes of a plan into commits of bounded size, each of which leaves a tree that is whole.
///
/// A change waits for the changes that make room for it: its folder comes before it, who has its name leaves before it,
/// and a folder goes after what is in it. What waits for one another goes together, even above the limit; so do all folders
/// that move, since the tree between two of their moves might hold a ring.
struct PlanOrder {
    private let changes: [NodeChange]
    private var needs: [[Int]] = []

    /// The commits, in order.
    /// - Complexity: O(changes).
    static func batches(_ plan: HistoryPlan, limit: Int) -> [[NodeChange]] {
        guard plan.changes.count > limit else { return plan.changes.isEmpty ? [] : [plan.changes] }
        let order = PlanOrder(plan)
        var batches: [[NodeChange]] = []
        var batch: [NodeChange] = []
        for group in order.groups() {
            if !batch.isEmpty, batch.count + group.count > limit {
                batches.append(batch)
                batch = []
            }
            batch += group
        }
        if !batch.isEmpty { batches.append(batch) }
        return batches
    }

    private init(_ plan: HistoryPlan) {
        changes = plan.changes
        let index = Dictionary(uniqueKeysWithValues: changes.indices.map { (changes[$0].node, $0) })
        let before = changes.map { plan.before[$0.node]?.state }
        var places: [Place: Int] = [:]
        for (position, state) in before.enumerated() {
            if let state { places[Place(parent: state.parent, name: state.name)] = position }
        }
        needs = [[Int]](repeating: [], count: changes.count)
        var moved: [Int] = []
        for (position, change) in changes.enumerated() {
            // What leaves a folder that goes, goes first.
            if let state = before[position], let folder = index[state.parent], changes[folder].state == nil {
                needs[folder].append(position)
            }
            guard let state = change.state else { continue }
            if let parent = index[state.parent], before[parent] == nil { needs[position].append(parent) }
            if let occupant = places[Place(parent: state.parent, name: state.name)], occupant != position {
                needs[position].append(occupant)
            }
            if let old = before[position], state.payload.isFolder, old.parent != state.parent { moved.append(position) }
        }
        for (one, next) in zip(moved, moved.dropFirst() + moved.prefix(1)) where one != next { needs[one].append(next) }
    }

    private struct Place: Hashable {
        let parent: NodeID
        let name: NodeName
    }

    /// The strongly connected parts of the graph, those that others need first (Tarjan 1972, with a stack of its own).
    private func groups() -> [[NodeChange]] {
        var search = ComponentSearch(needs)
        return search.components().map { $0.map { changes[$0] } }
    }
}

/// Finds the strongly connected components of a graph, each after those that its nodes point to.
struct ComponentSearch {
    private let edges: [[Int]]
    private var number: [Int?]
    private var low: [Int]
    private var isOpen: [Bool]
    private var open: [Int] = []
    private var count = 0
    private var found: [[Int]] = []

    init(_ edges: [[Int]]) {
        self.edges = edges
        number = Array(repeating: nil, count: edges.count)
        low = Array(repeating: 0, count: edges.count)
        isOpen = Array(repeating: false, count: edges.count)
    }

    /// The components.
    /// - Complexity: O(nodes and edges).
    mutating func components() -> [[Int]] {
        for node in edges.indices where number[node] == nil { walk(from: node) }
        return found
    }

    private mutating func walk(from start: Int) {
        var path: [(node: Int, next: Int)] = []
        enter(start)
        path.append((start, 0))
        while let (node, next) = path.last {
            if next < edges[node].count {
                path[path.count - 1].next += 1
                let other = edges[node][next]
                if number[other] == nil {
                    enter(other)
                    path.append((other, 0))
                } else if isOpen[other], let seen = number[other] {
                    low[node] = min(low[node], seen)
                }
                continue
            }
            path.removeLast()
            if let above = path.last?.node { low[above] = min(low[above], low[node]) }
            if low[node] == number[node] { close(node) }
        }
    }

    private mutating func enter(_ node: Int) {
        number[node] = count
        low[node] = count
        count += 1
        open.append(node)
        isOpen[node] = true
    }

    private mutating func close(_ node: Int) {
        var component: [Int] = []
        while let last = open.popLast() {
            isOpen[last] = false
            component.append(last)
            if last == node { break }
        }
        found.append(component)
    }
}
