internal import Model

extension Merger {
    /// Gives every node a name of its own in its folder: of two that meet, the one that the server has there keeps it.
    mutating func resolveNames(naming: ConflictNaming, copies: [Copy]) throws {
        var places = try claimedPlaces(except: Set(copies.map(\.node)))
        let localPlaces = Set(entries.values.compactMap(\.diskPlacement))
        var losers = places.losers
        losers += copies.map { (winner: $0.original, loser: $0.node) }
        for (winner, loser) in losers {
            guard let state = entries[loser]?.merged else { continue }
            let name = try naming.name(for: state.name, isFolder: state.payload.isFolder) { name in
                let place = Placement(parent: state.parent, name: name)
                // Where the server moved something, there it is to be: those places have their owners already.
                if places.owners[place] != nil || localPlaces.contains(place) { return true }
                return try tree.child(of: place.parent, named: name) != nil
            }
            entries[loser]?.merged?.name = name
            places.owners[Placement(parent: state.parent, name: name)] = loser
            conflicts.append(Plan.Conflict(winner: winner, loser: loser, name: name))
        }
    }

    private struct Places {
        var owners: [Placement: NodeID] = [:]
        var losers: [(winner: NodeID, loser: NodeID)] = []
    }

    private func claimedPlaces(except copies: Set<NodeID>) throws -> Places {
        var places = Places()
        var contested: [(place: Placement, node: NodeID)] = []
        for node in order where !copies.contains(node) {
            guard let entry = entries[node], let place = entry.merged?.placement else { continue }
            if let owner = places.owners[place] {
                let loses = entry.claim >= (entries[owner]?.claim ?? 0)
                contested.append((place, loses ? node : owner))
                if !loses { places.owners[place] = node }
            } else if place != entry.synced?.state.placement,
                let owner = try tree.child(of: place.parent, named: place.name), entries[owner] == nil
            {
                places.owners[place] = owner
                contested.append((place, node))
            } else {
                places.owners[place] = node
            }
        }
        places.losers = contested.compactMap { contest in
            places.owners[contest.place].map { (winner: $0, loser: contest.node) }
        }
        return places
    }
}
