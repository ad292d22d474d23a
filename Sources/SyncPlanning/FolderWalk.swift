internal import Model

/// Finds out whether all folders above a place are where they are to be. Remembers those that are, so that each is
/// looked at once.
struct FolderWalk {
    /// The parent of a folder without an entry.
    let untouched: (NodeID) throws -> NodeID?
    private var settled: Set<NodeID> = [.root]

    init(untouched: @escaping (NodeID) throws -> NodeID?) {
        self.untouched = untouched
    }

    /// The nearest folder, from `start` up, that is not at its place yet.
    /// - Parameters:
    ///   - start: The first folder to look at.
    ///   - entries: The nodes that differ somewhere.
    ///   - placement: Where such a node is now.
    /// - Returns: The folder; nil when all are at their places.
    /// - Throws: What the synced tree throws.
    mutating func firstMisplaced(
        from start: NodeID, entries: [NodeID: MergeEntry], placement: (MergeEntry) -> Placement?
    ) throws -> NodeID? {
        var passed: [NodeID] = []
        var folder = start
        while !settled.contains(folder) {
            passed.append(folder)
            if let entry = entries[folder] {
                guard let merged = entry.merged, merged.placement == placement(entry) else { return folder }
                folder = merged.parent
            } else {
                folder = try untouched(folder) ?? .root
            }
        }
        settled.formUnion(passed)
        return nil
    }
}
