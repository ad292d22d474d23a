internal import Model

/// Orders the changes for the server in groups, such that after every group the server's tree is a tree: folders before
/// what goes into them, a place emptied before it is filled, a folder emptied before it is removed.
///
/// The groups are the strongly connected components of who waits for whom, in the order in which Tarjan's algorithm
/// (1972) finds them: what is waited for comes first.
struct RemoteSchedule {
    private let entries: [NodeID: MergeEntry]
    private var folders: FolderWalk
    private let pending: Set<NodeID>
    /// Which node with work is at a place on the server.
    private var places: [Placement: NodeID] = [:]
    /// What the server has in a folder that is to be removed.
    private var contents: [NodeID: [NodeID]] = [:]

    private var waits: [NodeID: [NodeID]] = [:]
    private var index: [NodeID: Int] = [:]
    private var low: [NodeID: Int] = [:]
    private var open: [NodeID] = []
    private var isOpen: Set<NodeID> = []
    /// Nodes that are not on disk yet as they are to be, and what waits for them: a later plan sends them.
    private var held: Set<NodeID> = []
    private var groups: [[NodeChange]] = []

    /// Orders the work of all entries.
    /// - Parameters:
    ///   - entries: The entries of the merger.
    ///   - order: The order to keep where nothing else decides.
    ///   - folders: Looks at the folders above a place.
    /// - Returns: The groups. What is on disk otherwise than it is to be is left out, with all that waits for it.
    /// - Throws: What the synced tree throws.
    static func groups(
        entries: [NodeID: MergeEntry], order: [NodeID], folders: FolderWalk
    ) throws -> [[NodeChange]] {
        var schedule = RemoteSchedule(entries: entries, order: order, folders: folders)
        let work = order.filter(schedule.pending.contains)
        for node in work { schedule.waits[node] = try schedule.findWaits(of: node) }
        for node in work where entries[node]?.merged != nil { schedule.visit(node) }
        for node in work where entries[node]?.merged == nil { schedule.visit(node) }
        return schedule.groups
    }

    private init(entries: [NodeID: MergeEntry], order: [NodeID], folders: FolderWalk) {
        self.entries = entries
        self.folders = folders
        pending = Set(order.filter { entries[$0]?.needsRemoteWork == true })
        for node in order {
            guard let place = entries[node]?.remote?.placement else { continue }
            if pending.contains(node) { places[place] = node }
            guard let folder = entries[place.parent], folder.merged == nil else { continue }
            contents[place.parent, default: []].append(node)
        }
    }

    private mutating func findWaits(of node: NodeID) throws -> [NodeID] {
        guard let entry = entries[node] else { return [] }
        guard let merged = entry.merged else { return contents[node] ?? [] }
        guard entry.remote?.placement != merged.placement else { return [] }
        var waits: [NodeID] = []
        let folder = try folders.firstMisplaced(from: merged.parent, entries: entries) { $0.remote?.placement }
        if let folder { waits.append(folder) }
        if let occupant = places[merged.placement], occupant != node { waits.append(occupant) }
        return waits
    }

    private mutating func visit(_ start: NodeID) {
        guard index[start] == nil else { return }
        var stack: [(node: NodeID, next: Int)] = []
        enter(start, &stack)
        while let (node, next) = stack.last {
            let waits = waits[node] ?? []
            if next < waits.count {
                stack[stack.count - 1].next += 1
                let other = waits[next]
                if index[other] == nil {
                    enter(other, &stack)
                } else if isOpen.contains(other) {
                    low[node] = min(low[node] ?? 0, index[other] ?? 0)
                }
                continue
            }
            stack.removeLast()
            if let below = stack.last?.node { low[below] = min(low[below] ?? 0, low[node] ?? 0) }
            if low[node] == index[node] { close(node) }
        }
    }

    private mutating func enter(_ node: NodeID, _ stack: inout [(node: NodeID, next: Int)]) {
        index[node] = index.count
        low[node] = index[node]
        open.append(node)
        isOpen.insert(node)
        stack.append((node, 0))
    }

    private mutating func close(_ node: NodeID) {
        guard let begin = open.lastIndex(of: node) else { return }
        let members = open[begin...].sorted()
        open.removeSubrange(begin...)
        isOpen.subtract(members)
        let isHeld = members.contains { member in
            entries[member]?.needsLocalWork == true || (waits[member] ?? []).contains(where: held.contains)
        }
        if isHeld {
            held.formUnion(members)
        } else {
            groups.append(members.compactMap(change))
        }
    }

    private func change(of node: NodeID) -> NodeChange? {
        entries[node].map { NodeChange(node: node, base: $0.base, state: $0.merged) }
    }
}
