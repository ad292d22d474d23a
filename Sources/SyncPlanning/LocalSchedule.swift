internal import Model

/// Orders the steps on disk so that they can be done one after the other: folders before what goes into them, a place
/// emptied before it is filled, a folder emptied before it is removed.
///
/// Each node with work waits for others. Where they wait for each other in a ring (two files that change names), one
/// that has to leave a place is parked.
struct LocalSchedule {
    private enum Wait {
        /// For a folder above to be at its place.
        case folder
        /// For a node to leave its place: parking it will do.
        case leaving
    }

    private var entries: [NodeID: MergeEntry]
    private var folders: FolderWalk
    private var isPending: Set<NodeID>
    /// Which node with work is at a place on disk.
    private var places: [Placement: NodeID] = [:]
    /// What lies in a folder that is to be removed, as long as it does.
    private var contents: [NodeID: [NodeID]] = [:]
    private var actions: [LocalAction] = []

    /// Orders the work of all entries.
    /// - Parameters:
    ///   - entries: The entries of the merger.
    ///   - order: The order to keep where nothing else decides.
    ///   - folders: Looks at the folders above a place.
    /// - Returns: The steps, each of which can be done when those before it were.
    /// - Throws: What the synced tree throws.
    static func actions(
        entries: [NodeID: MergeEntry], order: [NodeID], folders: FolderWalk
    ) throws -> [LocalAction] {
        var schedule = LocalSchedule(entries: entries, order: order, folders: folders)
        // Removals come last: as long as a file is there, its blocks need not be fetched for another.
        let work = order.filter(schedule.isPending.contains)
        for node in work where entries[node]?.merged != nil { try schedule.run(node) }
        for node in work where entries[node]?.merged == nil { try schedule.run(node) }
        return schedule.actions
    }

    private init(entries: [NodeID: MergeEntry], order: [NodeID], folders: FolderWalk) {
        self.entries = entries
        self.folders = folders
        isPending = Set(order.filter { entries[$0]?.needsLocalWork == true })
        for node in order.reversed() {
            guard let entry = entries[node], let place = entry.diskPlacement else { continue }
            if isPending.contains(node) { places[place] = node }
            guard let folder = entries[place.parent], folder.merged == nil else { continue }
            contents[place.parent, default: []].append(node)
        }
    }

    private mutating func run(_ start: NodeID) throws {
        var stack: [(node: NodeID, wait: Wait)] = [(start, .folder)]
        var onStack: Set<NodeID> = [start]
        while let top = stack.last?.node {
            guard isPending.contains(top), let (next, wait) = try nextWait(of: top) else {
                if isPending.contains(top) { perform(top) }
                stack.removeLast()
                onStack.remove(top)
                continue
            }
            guard !onStack.insert(next).inserted else {
                stack.append((next, wait))
                continue
            }
            if wait == .leaving {
                park(next)
            } else {
                // Folders above each other form no ring: somewhere on it a node waits for another to leave.
                let begin = stack.lastIndex { $0.node == next } ?? 0
                guard let cut = stack[(begin + 1)...].lastIndex(where: { $0.wait == .leaving }) else {
                    preconditionFailure("folders wait for each other in a ring: the merged tree has a cycle")
                }
                park(stack[cut].node)
                for dropped in stack[cut...] { onStack.remove(dropped.node) }
                stack.removeSubrange(cut...)
            }
        }
    }

    private mutating func nextWait(of node: NodeID) throws -> (NodeID, Wait)? {
        guard let entry = entries[node] else { return nil }
        guard let merged = entry.merged else {
            while let child = contents[node]?.last {
                if entries[child]?.diskPlacement?.parent == node { return (child, .leaving) }
                contents[node]?.removeLast()
            }
            return nil
        }
        guard entry.diskPlacement != merged.placement else { return nil }
        let folder = try folders.firstMisplaced(from: merged.parent, entries: entries, placement: \.diskPlacement)
        if let folder { return (folder, .folder) }
        if let occupant = places[merged.placement], occupant != node { return (occupant, .leaving) }
        return nil
    }

    private mutating func park(_ node: NodeID) {
        guard let disk = entries[node]?.disk, let state = disk.state else { return }
        vacate(node)
        actions.append(LocalAction(node: node, before: disk, step: .park))
        entries[node]?.disk = .parked(state)
    }

    private mutating func vacate(_ node: NodeID) {
        if let place = entries[node]?.diskPlacement, places[place] == node { places[place] = nil }
    }

    private mutating func perform(_ node: NodeID) {
        guard let entry = entries[node] else { return }
        vacate(node)
        isPending.remove(node)
        guard let merged = entry.merged else {
            actions.append(LocalAction(node: node, before: entry.disk, step: .remove))
            entries[node]?.disk = nil
            return
        }
        if var state = entry.disk?.state {
            if entry.diskPlacement != merged.placement {
                actions.append(LocalAction(node: node, before: entry.disk, step: .move(to: merged.placement)))
                state.placement = merged.placement
            }
            update(node, from: state, to: merged)
        } else {
            actions.append(LocalAction(node: node, before: nil, step: Self.making(merged)))
        }
        entries[node]?.disk = .present(merged)
    }

    private mutating func update(_ node: NodeID, from state: NodeState, to merged: NodeState) {
        if state.payload != merged.payload {
            actions.append(LocalAction(node: node, before: .present(state), step: Self.making(merged)))
        } else if !state.attributesAgree(with: merged) {
            let step = LocalAction.Step.setAttributes(mode: merged.mode, modified: merged.modified)
            actions.append(LocalAction(node: node, before: .present(state), step: step))
        }
    }

    private static func making(_ state: NodeState) -> LocalAction.Step {
        switch state.payload {
        case .folder: .makeFolder(state)
        case .file: .placeFile(state)
        case .symlink: .placeSymlink(state)
        }
    }
}
