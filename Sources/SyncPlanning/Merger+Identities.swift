internal import Model

extension Merger {
    /// Finds what is on disk under one id and on the server under another, and lets it take the server's id: folders
    /// that were made with the same name, files with the same bytes and name, and what an interrupted plan had put
    /// there before it was noted.
    ///
    /// Only what the server does not have under its own id may take another, and only the id of what is nowhere on
    /// disk. So each id is taken once, and the local tree stays the same tree.
    mutating func adoptIdentities() throws {
        var adopted: [NodeID: NodeID] = [:]
        var visited: Set<NodeID> = []
        for node in order where entries[node]?.mayAdopt == true {
            // Folders first: what is in them is looked for in the folder that they turn out to be.
            var path: [NodeID] = []
            var next = node
            while let entry = entries[next], entry.mayAdopt, visited.insert(next).inserted {
                path.append(next)
                next = entry.diskPlacement?.parent ?? .root
            }
            for member in path.reversed() {
                if let identity = try remoteIdentity(of: member, adopted: adopted) { adopted[member] = identity }
            }
        }
        apply(adopted)
    }

    private func remoteIdentity(of node: NodeID, adopted: [NodeID: NodeID]) throws -> NodeID? {
        guard case .present(let state) = entries[node]?.disk else { return nil }
        let place = Placement(parent: adopted[state.parent] ?? state.parent, name: state.name)
        guard let other = try remoteChild(at: place), let entry = entries[other], entry.disk == nil else { return nil }
        return entry.remote?.payload == state.payload ? other : nil
    }

    private mutating func apply(_ adopted: [NodeID: NodeID]) {
        guard !adopted.isEmpty else { return }
        for node in order {
            guard let disk = entries[node]?.disk, let parent = disk.state?.parent else { continue }
            if let folder = adopted[parent] { entries[node]?.disk = disk.movedInto(folder) }
        }
        for node in order {
            guard let identity = adopted[node] else { continue }
            let disk = entries[node]?.disk
            entries[identity]?.disk = disk
            entries[node]?.disk = nil
            identities.append(Plan.Identity(old: node, new: identity))
        }
    }
}

extension LocalNode {
    /// The same, in a folder that goes under another id.
    fileprivate func movedInto(_ folder: NodeID) -> LocalNode {
        switch self {
        case .present(var state):
            state.parent = folder
            return .present(state)
        case .parked(var state):
            state.parent = folder
            return .parked(state)
        case .removed: return self
        }
    }
}
