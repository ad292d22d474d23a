internal import Model

extension Merger {
    /// Undoes local moves that would put a folder into itself, because the server moved another the other way.
    ///
    /// Neither tree has a cycle, so on every cycle there is a node that only the disk has there and the server has
    /// elsewhere: that one goes where the server has it.
    mutating func breakCycles() throws {
        let moved = order.filter { entries[$0]?.hasFallback == true }
        // A node that goes back can close another cycle, with the next one; each goes back at most once.
        var settled = false
        while !settled {
            settled = true
            for node in moved where try isWithinItself(node) {
                guard let entry = entries[node], entry.hasFallback, let place = entry.fallbackPlacement else {
                    continue
                }
                entries[node]?.merged?.placement = place
                settled = false
            }
        }
    }

    private func isWithinItself(_ node: NodeID) throws -> Bool {
        var seen: Set<NodeID> = [node]
        var next = try prospectiveState(of: node)?.parent
        while let folder = next, folder != .root {
            if folder == node { return true }
            // Another cycle further up: its own members find it.
            guard seen.insert(folder).inserted else { return false }
            next = try prospectiveState(of: folder)?.parent
        }
        return false
    }

    /// The state of a folder that is there, or will be because something in it survives.
    private func prospectiveState(of folder: NodeID) throws -> NodeState? {
        guard let entry = entries[folder] else { return try tree.record(of: folder)?.state }
        return entry.merged ?? entry.restored
    }

    /// Keeps the folders around everything that survives.
    mutating func restoreParents() throws {
        for node in order {
            var child = node
            while let folder = entries[child]?.merged?.parent, try !isKept(folder, around: child) {
                if let state = entries[folder]?.restored, state.payload.isFolder {
                    entries[folder]?.merged = state
                    child = folder
                } else {
                    // Only what was parked can be left without a folder that any tree knows.
                    entries[child]?.merged?.parent = .root
                }
            }
        }
    }

    private func isKept(_ folder: NodeID, around child: NodeID) throws -> Bool {
        if folder == .root { return true }
        if let entry = entries[folder] { return entry.merged != nil }
        guard case .parked = entries[child]?.disk else { return true }
        return try tree.record(of: folder) != nil
    }
}
